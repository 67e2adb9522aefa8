"""A certificate says what a run did, signed, so that it can be shown to somebody who does not trust the database.

The document is canonical JSON; its end of the event chain is the anchor outside the database against which a chain
that was cut or computed anew is found out. The Ed25519 key is made on first use and stays on this machine, in
``signing.key`` under the user's configuration directory, mode 0600.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from psycopg import Connection

from wesley_tui.executor.errors import CheckFailed, ExecutorError
from wesley_tui.executor.ledger import reading
from wesley_tui.executor.stored import canonical_json, plan_from_document

__all__ = [
    "Certificate",
    "certificate_of",
    "compare_with_database",
    "issue_certificate",
    "key_path",
    "verify_certificate",
]

_FINAL = ("complete", "contract_pending", "failed", "cancelled", "rolled_back")


@dataclass(frozen=True, slots=True)
class Certificate:
    document: str
    """Canonical JSON: the bytes that are signed."""
    signature: str
    """Ed25519, hex."""
    public_key: str
    """Ed25519, 64 hex digits."""

    @property
    def content(self) -> dict[str, Any]:
        """The document, read."""
        content: dict[str, Any] = json.loads(self.document)
        return content


def key_path() -> Path:
    """Where the signing key of this user is."""
    return Path(platformdirs.user_config_dir("wesley")) / "signing.key"


def issue_certificate(conninfo: str, run_id: int, key_file: Path | None = None) -> Certificate:
    """Certify a run that has ended: sign it, keep it in ``wesley.migration_certificates``, and tell of it in an event.

    Raises :class:`CheckFailed` when the run has not ended, or the history of the database was tampered with.
    """
    key = _signing_key(key_file or key_path())
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    with reading(conninfo) as connection:
        document = canonical_json(_content(connection, run_id))
        signature = key.sign(document.encode()).hex()
        connection.execute("SELECT wesley.record_certificate(%s, %s, %s, %s)", (run_id, document, signature, public))
    return Certificate(document, signature, public)


def certificate_of(conninfo: str, run_id: int) -> Certificate | None:
    """The last certificate of a run."""
    with reading(conninfo) as connection:
        row = connection.execute(
            "SELECT document, signature, public_key FROM wesley.migration_certificates WHERE run_id = %s"
            " ORDER BY certificate_id DESC LIMIT 1",
            (run_id,),
        ).fetchone()
    return Certificate(*row) if row else None


def verify_certificate(certificate: Certificate, trusted_key: str | None = None) -> list[str]:
    """What is wrong with it; empty when it is whole and signed by ``trusted_key`` (hex; None: by the key it names)."""
    problems = []
    if trusted_key is not None and certificate.public_key != trusted_key:
        problems.append(f"it is signed with key {certificate.public_key[:16]}, not with {trusted_key[:16]}")
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(certificate.public_key))
        public.verify(bytes.fromhex(certificate.signature), certificate.document.encode())
    except (InvalidSignature, ValueError):
        problems.append("its signature does not fit its content: one of them was changed")
    try:
        if canonical_json(json.loads(certificate.document)) != certificate.document:
            problems.append("its content is not in canonical form")
    except ValueError:
        problems.append("its content is not JSON")
    return problems


def compare_with_database(conninfo: str, certificate: Certificate) -> list[str]:
    """What the database no longer says as it did when the certificate was issued: an end of the event chain that was
    cut off, or a chain that was computed anew."""
    chain = certificate.content["chain"]
    with reading(conninfo) as connection:
        row = connection.execute(
            "SELECT sha FROM wesley.migration_events WHERE id = %s", (chain["last_id"],)
        ).fetchone()
    if row is None:
        return [f"event {chain['last_id']} is gone: the end of the chain was cut off"]
    if row[0] != chain["last_sha"]:
        return [f"event {chain['last_id']} is another one: the chain was computed anew"]
    return []


def _content(connection: Connection[Any], run_id: int) -> dict[str, Any]:
    run = connection.execute(
        "SELECT r.plan_id, r.status, r.actor, r.application, r.contract, r.system_identifier, r.server_version,"
        " r.started_at::text, r.finished_at::text, r.message, r.review, p.document, p.document_sha, current_database()"
        " FROM wesley.migration_runs r JOIN wesley.migration_plans p USING (plan_id) WHERE run_id = %s",
        (run_id,),
    ).fetchone()
    if run is None:
        raise ExecutorError(f"there is no run {run_id} on this database")
    plan_id, status, actor, application, contract, system, version, started, finished, message, review, *rest = run
    document, document_sha, database = rest
    if status not in _FINAL:
        raise CheckFailed(f"run {run_id} is {status}: only a run that has ended can be certified")
    broken = connection.execute(
        "SELECT problem FROM wesley.verify_chain() UNION ALL SELECT problem FROM wesley.verify_ledger()"
    ).fetchone()
    if broken is not None:
        raise CheckFailed(f"run {run_id} cannot be certified: the history of this database was changed ({broken[0]})")
    plan = plan_from_document(document)
    done = {
        row[0]: row[1:]
        for row in connection.execute(
            "SELECT step_sha, ledger_id, run_id, attempt, recorded_at::text, duration_ms FROM wesley.migration_done"
            " WHERE plan_id = %s",
            (plan_id,),
        )
    }
    head = connection.execute("SELECT last_id, last_sha FROM wesley.migration_head").fetchone()
    assert head is not None
    return {
        "actor": actor,
        "application": application,
        "base": plan.base,
        "chain": {"last_id": head[0], "last_sha": head[1]},
        "contract": contract,
        "database": database,
        "finished": finished,
        "format": 1,
        "message": message,
        "plan_id": plan_id,
        "plan_sha": document_sha,
        "review": review,
        "run_id": run_id,
        "server": {"system_identifier": system, "version_num": version},
        "started": started,
        "status": status,
        "steps": [
            {
                "hazard": int(step.hazard),
                "object": step.object,
                "op": step.op,
                "ordinal": step.ordinal,
                "step_sha": step.step_sha,
                "wave": wave.name,
                "ledger": dict(
                    zip(("ledger_id", "run_id", "attempt", "time", "duration_ms"), done[step.step_sha], strict=True)
                )
                if step.step_sha in done
                else None,
            }
            for wave in plan.waves
            for step in wave.steps
        ],
        "target": plan.target,
    }


def _signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in ``path``; made, private to the user, when there is none."""
    try:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
    except FileNotFoundError:
        pass
    except ValueError as error:
        raise CheckFailed(
            f"{path} is not a signing key (64 hex digits). Move it away, and a new one is made"
        ) from error
    key = Ed25519PrivateKey.generate()
    raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(raw + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        return _signing_key(path)
    finally:
        draft.unlink()
    return key
