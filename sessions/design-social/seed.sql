-- Deterministic: keys are MD5 digests or row numbers, values are arithmetic on the row number.

INSERT INTO designer (id, handle, display_name, email, bio, availability, hourly_rate, skills, timezone, settings, last_ip, joined_on, deleted_at)
SELECT
    md5('designer ' || n)::uuid,
    'pixel_' || n,
    (ARRAY['Ines', 'Otto', 'Fern', 'Bo', 'Saskia', 'Rune', 'Paz'])[1 + n % 7] || ' '
        || (ARRAY['Kerning', 'Baseline', 'Gradient', 'Bleed', 'Bezier'])[1 + n % 5],
    'pixel_' || n || '@' || (ARRAY['grid', 'serif', 'dropshadow'])[1 + n % 3] || '.example',
    CASE WHEN n % 3 <> 0 THEN 'Designing experiences for experiences.' END,
    (enum_range(NULL::availability))[1 + n % 4],
    CASE WHEN n % 4 <> 1 THEN 20 + (n * 7) % 180 END,
    ARRAY[
        (ARRAY['figma', 'lettering', 'after effects', 'moodboards'])[1 + n % 4],
        (ARRAY['css', 'empathy', 'invoicing'])[1 + n % 3]
    ],
    CASE WHEN n % 3 = 0 THEN (ARRAY['Europe/Berlin', 'America/New_York', 'Asia/Tokyo'])[1 + n % 3] END,
    jsonb_build_object('theme', CASE WHEN n % 10 = 0 THEN 'light' ELSE 'dark' END, 'grid', 4 + n % 9),
    ('10.' || n % 250 || '.' || (n * 7) % 250 || '.1')::inet,
    date '2012-03-01' + n % 4000,
    CASE WHEN n % 50 = 0 THEN timestamptz '2024-05-05 10:00:00+00' END
FROM generate_series(1, 5000) AS n;

INSERT INTO follow (follower_id, followee_id, muted, since)
SELECT
    md5('designer ' || n)::uuid,
    md5('designer ' || 1 + (n + hop * hop * 13) % 5000)::uuid,
    (n + hop) % 6 = 0,
    timestamptz '2016-01-01 00:00:00+00' + make_interval(hours => n + hop)
FROM generate_series(1, 5000) AS n, generate_series(1, 4) AS hop;

INSERT INTO shot (designer_id, title, description, medium, license, palette, width, height, views, score, featured_during, published_at, created_at)
SELECT
    md5('designer ' || 1 + (n * 17) % 5000)::uuid,
    (ARRAY['Untitled', 'Dashboard for', 'Redesign of', 'Logo for', 'Onboarding of'])[1 + n % 5]
        || ' ' || (ARRAY['a bank', 'a sad app', 'the sun', 'a fintech for dogs', 'a weather widget'])[1 + (n / 5) % 5] || ' ' || n,
    CASE WHEN n % 2 = 0 THEN 'Nobody asked for this.' END,
    (enum_range(NULL::medium))[1 + n % 6],
    (enum_range(NULL::license))[1 + n % 4],
    ARRAY['#' || substr(md5(n::text), 1, 6), '#' || substr(md5((n + 1)::text), 1, 6)]::character(7)[],
    400 * (1 + n % 4),
    300 * (1 + n % 4),
    (n * 7919) % 100000,
    CASE WHEN n % 7 <> 0 THEN (n % 1001) / 100.0 END,
    CASE WHEN n % 10 = 0 THEN daterange(date '2018-01-01' + n / 10, date '2018-01-01' + n / 10 + 1) END,
    CASE WHEN n % 8 <> 0 THEN timestamptz '2018-01-01 08:00:00+00' + make_interval(hours => n) END,
    timestamptz '2018-01-01 07:00:00+00' + make_interval(hours => n)
FROM generate_series(1, 12000) AS n;

INSERT INTO revision (shot_id, number, storage_key, bytes, digest, note, uploaded_at)
SELECT
    shot.id,
    number,
    'shots/' || shot.id || '/final' || repeat('_FINAL', number - 1) || '.png',
    20000 + (shot.id * 31 + number) % 900000,
    sha256(convert_to(shot.id || '/' || number, 'UTF8')),
    CASE WHEN number > 1 THEN 'made the logo bigger' END,
    shot.created_at + make_interval(mins => number)
FROM shot CROSS JOIN generate_series(1, 3) AS number
WHERE number <= 1 + shot.id % 3;

UPDATE shot SET current_revision = 1 + id % 3 WHERE published_at IS NOT NULL;

-- Every step of a shot's row of admirers is coprime to 5000, so that no pair comes twice.
INSERT INTO appreciation (shot_id, designer_id, reaction, intensity, client, ip, given_at)
SELECT
    1 + n % 12000,
    designer.id,
    (enum_range(NULL::reaction))[1 + n % 3],
    1 + n % 5,
    CASE WHEN n % 5 <> 0 THEN (ARRAY['web', 'ios', 'android', 'fridge'])[1 + n % 4] END,
    CASE WHEN n % 2 = 0 THEN ('192.168.' || n % 250 || '.7')::inet END,
    timestamptz '2019-06-01 00:00:00+00' + make_interval(mins => n * 20)
FROM generate_series(0, 99999) AS n
JOIN (
    SELECT number, md5('designer ' || number)::uuid AS id FROM generate_series(1, 5000) AS number
) AS designer ON designer.number = 1 + ((n % 12000) * 11 + (n / 12000) * 601) % 5000;

INSERT INTO critique (shot_id, author_id, parent_id, tone, body, pin_x, pin_y, flags, hidden_at, created_at)
SELECT
    1 + (n * 3) % 12000,
    md5('designer ' || 1 + (n * 29) % 5000)::uuid,
    CASE WHEN n > 100 AND n % 3 = 0 THEN n - 100 END,
    (enum_range(NULL::critique_tone))[1 + n % 3],
    (ARRAY['Love the whitespace.', 'Have you considered a second typeface?', 'My nephew could animate this.', 'Make it pop.'])[1 + n % 4],
    CASE WHEN n % 2 = 0 THEN (n * 37) % 1001 END,
    CASE WHEN n % 2 = 0 THEN (n * 53) % 1001 END,
    CASE WHEN n % 40 = 0 THEN 1 + n % 5 ELSE 0 END,
    CASE WHEN n % 80 = 0 THEN timestamptz '2023-01-01 00:00:00+00' END,
    timestamptz '2019-01-01 00:00:00+00' + make_interval(mins => n * 45)
FROM generate_series(1, 15000) AS n;

INSERT INTO board (owner_id, title, position, is_public, digest_at, cover_color, updated_at)
SELECT
    md5('designer ' || 1 + (n * 41) % 5000)::uuid,
    (ARRAY['Inspiration', 'To steal', 'Client, do not open', 'Serifs'])[1 + n % 4] || ' ' || n,
    n / 2.0,
    n % 4 <> 2,
    CASE WHEN n % 3 = 0 THEN time '18:30' END,
    '#' || substr(md5('board' || n), 1, 6),
    timestamptz '2022-01-01 00:00:00+00' + make_interval(hours => n)
FROM generate_series(1, 2500) AS n;

INSERT INTO pin (board_id, shot_id, remark, sort, pinned_at)
SELECT
    board,
    1 + (board * 5 + place * 401) % 12000,
    CASE WHEN place = 1 THEN 'this, but ours' END,
    place,
    timestamptz '2022-06-01 00:00:00+00' + make_interval(mins => board * 10 + place)
FROM generate_series(1, 2500) AS board, generate_series(1, 6) AS place;
