-- V1__baseline.sql
create table account (
    id bigint generated always as identity primary key,
    email text not null unique,
    created_at timestamptz not null default now()
);
create table transfer (
    id bigint generated always as identity primary key,
    from_account bigint not null references account (id),
    to_account bigint not null references account (id),
    amount numeric(18, 2) not null check (amount > 0)
);
create index transfer_from_idx on transfer (from_account);
create index transfer_to_idx on transfer (to_account);
comment on table transfer is 'money that moves';
