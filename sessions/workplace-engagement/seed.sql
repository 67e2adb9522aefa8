-- Deterministic: row n of every table belongs to tenant 1 + (n - 1) % 40, every other value is arithmetic on n.
-- Row-level security is forced on every table: load this as a superuser or as a role with BYPASSRLS.

INSERT INTO org (name, domain, tier, seats, trial_ends_on, settings, currency, created_at)
SELECT
    (ARRAY['Synergon', 'Betterhaus', 'Hustle & Sons', 'Meadow Metrics', 'Joyful Dynamics'])[1 + n % 5] || ' ' || n,
    'Tenant' || n || '.example',
    (enum_range(NULL::plan_tier))[1 + n % 4],
    50 + n * 10,
    CASE WHEN n % 4 = 0 THEN date '2026-01-01' + n END,
    jsonb_build_object('leaderboard', n % 2 = 0, 'turn_everything_off', false),
    CASE WHEN n % 2 = 0 THEN (ARRAY['EUR', 'USD', 'SEK'])[1 + n % 3] END,
    timestamptz '2021-01-01 00:00:00+00' + make_interval(days => n)
FROM generate_series(1, 40) AS n;

INSERT INTO team (org_id, name, charter, parent_id, created_at)
SELECT
    1 + (n - 1) % 40,
    (ARRAY['Growth', 'Delight', 'Platform', 'People Analytics', 'Special Projects'])[1 + (n - 1) / 40 % 5]
        || ' ' || 1 + (n - 1) / 200,
    CASE WHEN n % 3 <> 0 THEN 'We exist to align.' END,
    CASE WHEN n > 40 THEN 1 + (n - 1) % 40 END,
    timestamptz '2021-02-01 00:00:00+00' + make_interval(hours => n)
FROM generate_series(1, 400) AS n;

INSERT INTO employee (org_id, email, full_name, job_title, status, team_id, manager_id, hired_on, left_on, engagement_score, traits, timezone, fax_number)
SELECT
    1 + (n - 1) % 40,
    'Person' || n || '@Tenant' || 1 + (n - 1) % 40 || '.example',
    (ARRAY['Ulla', 'Deniz', 'Piotr', 'Grace', 'Amara', 'Jörg', 'Li'])[1 + n % 7] || ' '
        || (ARRAY['Aligned', 'Bandwidth', 'Circleback', 'Deepdive', 'Eod'])[1 + n % 5],
    (ARRAY['Associate of Things', 'Senior Associate of Things', 'Head of Alignment', 'VP, Presence'])[1 + n % 4],
    CASE WHEN n % 13 = 0 THEN 'ALUMNI'::employment_status ELSE (enum_range(NULL::employment_status))[1 + n % 4] END,
    1 + (n - 1) % 40 + 40 * ((n - 1) / 40 % 10),
    CASE WHEN n > 40 THEN 1 + (n - 1) % 40 + 40 * (((n - 1) / 40 - 1) / 5) END,
    date '2021-03-01' + n % 1200,
    CASE WHEN n % 13 = 0 THEN date '2025-01-31' END,
    CASE WHEN n % 6 <> 0 THEN (n * 37) % 10001 / 100.0 END,
    jsonb_build_object('keystrokes_per_minute', 40 + n % 200, 'camera_on', n % 3 = 0),
    CASE WHEN n % 2 = 0 THEN (ARRAY['Europe/Berlin', 'America/Chicago', 'Asia/Kolkata'])[1 + n % 3] END,
    CASE WHEN n % 97 = 0 THEN '+1 555 ' || 1000 + n END
FROM generate_series(1, 4000) AS n;

UPDATE team SET lead_id = id WHERE id <= 400;

INSERT INTO survey (org_id, slug, title, kind, author_id, anonymous, opens_on, closes_on, closed_at)
SELECT
    1 + (n - 1) % 40,
    'pulse-' || n,
    (ARRAY['How are you, really?', 'Your voice matters', 'Two minutes', 'Mandatory fun: feedback'])[1 + n % 4],
    (enum_range(NULL::survey_kind))[1 + n % 4],
    1 + (n - 1) % 40,
    n % 10 <> 0,
    date '2024-01-01' + n * 3,
    date '2024-01-15' + n * 3,
    CASE WHEN n % 5 <> 0 THEN timestamptz '2024-01-15 18:00:00+00' + make_interval(days => n * 3) END
FROM generate_series(1, 200) AS n;

INSERT INTO question (org_id, survey_id, position, prompt, kind, options, required)
SELECT
    1 + (n - 1) % 40,
    1 + (n - 1) % 200,
    1 + (n - 1) / 200,
    (ARRAY[
        'I would recommend my manager to a friend.',
        'I have a best friend at work, and they are not a plant.',
        'I know what is expected of me this quarter.',
        'My workload is reasonable, in theory.'
    ])[1 + n % 4],
    CASE WHEN n % 6 = 0 THEN 'FREE_TEXT'::question_kind WHEN n % 6 = 1 THEN 'YES_NO' ELSE 'SCALE' END,
    CASE WHEN n % 6 = 1 THEN ARRAY['yes', 'of course'] END,
    n % 4 <> 0
FROM generate_series(1, 1200) AS n;

INSERT INTO response (org_id, question_id, respondent_id, scale, free_text, sentiment, hesitation, user_agent, answered_at)
SELECT
    1 + (n - 1) % 40,
    1 + (n - 1) % 1200,
    1 + (n - 1) % 40 + 40 * ((n - 1) / 1200),
    CASE WHEN n % 6 <> 0 THEN 1 + (n * 7) % 5 END,
    CASE WHEN n % 6 = 0 THEN (ARRAY['Everything is fine.', 'Please stop asking.', 'The coffee.', 'See my answer of last week.'])[1 + n % 4] END,
    CASE WHEN n % 2 = 0 THEN (enum_range(NULL::sentiment))[1 + (n / 2) % 4] END,
    (n * 131) % 60000,
    'Mozilla/5.0 (compatible; Employee/' || n % 9 || '.0)',
    timestamptz '2024-02-01 09:00:00+00' + make_interval(mins => n * 5)
FROM generate_series(1, 100000) AS n;

INSERT INTO mood (org_id, employee_id, day, sentiment, note, logged_from)
SELECT
    1 + (n - 1) % 40,
    n,
    date '2025-10-01' + day,
    (enum_range(NULL::sentiment))[1 + (n + day * 3) % 4],
    CASE WHEN (n + day) % 9 = 0 THEN 'printer' END,
    ('172.16.' || n % 250 || '.' || 1 + day)::inet
FROM generate_series(1, 4000) AS n, generate_series(0, 4) AS day;

INSERT INTO kudos (org_id, giver_id, receiver_id, visibility, message, points, value_tags, given_at)
SELECT
    1 + (n - 1) % 40,
    1 + (n - 1) % 40 + 40 * ((n - 1) / 40 % 100),
    1 + (n - 1) % 40 + 40 * (((n - 1) / 40 + 17) % 100),
    (enum_range(NULL::kudos_visibility))[1 + n % 3],
    (ARRAY['Thanks for jumping on that call.', 'You are a rock star (see policy on rock stars).', 'Great slide.'])[1 + n % 3],
    5 * (1 + n % 20),
    ARRAY[(ARRAY['ownership', 'bias for action', 'candour'])[1 + n % 3]],
    timestamptz '2024-03-01 10:00:00+00' + make_interval(hours => n)
FROM generate_series(1, 12000) AS n;

INSERT INTO badge (org_id, code, title, icon, times_shown, monetary_value)
SELECT
    1 + (n - 1) % 40,
    'badge-' || 1 + (n - 1) / 40,
    (ARRAY['Early Bird', 'Late Owl', 'Inbox Zero', 'Survivor of Q3'])[1 + (n - 1) / 40 % 4],
    decode(md5('icon' || n), 'hex'),
    2000000000 + n,
    0
FROM generate_series(1, 320) AS n;

INSERT INTO badge_award (org_id, badge_id, employee_id, reason, awarded_at)
SELECT
    1 + (n - 1) % 40,
    1 + (n - 1) % 40 + 40 * award,
    n,
    CASE WHEN n % 2 = 0 THEN 'for not mentioning the merger' END,
    timestamptz '2025-01-01 00:00:00+00' + make_interval(hours => n)
FROM generate_series(1, 4000) AS n, generate_series(0, 1) AS award;

INSERT INTO one_on_one (org_id, manager_id, report_id, scheduled_at, minutes, outcome, private_notes)
SELECT
    employee.org_id,
    employee.manager_id,
    employee.id,
    timestamptz '2025-02-03 09:00:00+00' + make_interval(days => 14 * round::int, mins => (employee.id % 400)::int),
    15 * (1 + (employee.id % 4))::int,
    CASE WHEN round < 2 THEN (enum_range(NULL::meeting_outcome))[1 + ((employee.id + round) % 4)::int] END,
    CASE WHEN employee.id % 5 = 0 THEN 'seems fine (see traits)' END
FROM employee CROSS JOIN generate_series(1, 2) AS round
WHERE employee.manager_id IS NOT NULL
ORDER BY employee.id, round;

INSERT INTO incident (org_id, reporter_id, severity, title, details, opened_at, closed_at)
SELECT
    1 + (n - 1) % 40,
    CASE WHEN n % 3 <> 0 THEN n END,
    (enum_range(NULL::incident_severity))[1 + n % 3],
    (ARRAY['Reply-all', 'Fridge, again', 'Candid feedback', 'Motivational poster, defaced'])[1 + n % 4],
    jsonb_build_object('witnesses', n % 7, 'floor', n % 12, 'handled_by', 'values committee'),
    timestamptz '2024-06-01 08:00:00+00' + make_interval(hours => n),
    CASE WHEN n % 4 <> 0 THEN timestamptz '2024-06-08 08:00:00+00' + make_interval(hours => n * 2) END
FROM generate_series(1, 2000) AS n;
