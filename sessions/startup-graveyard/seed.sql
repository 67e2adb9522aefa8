-- Deterministic: every value is arithmetic on the row number, so that two loads hold the same rows.

INSERT INTO startup (slug, name, tagline, founded_on, died_on, cause, raised, burn_rate, peak_headcount, tags, pitch, created_at)
SELECT
    lower(w.first || w.last) || '-' || n,
    w.first || w.last || CASE WHEN n % 5 = 0 THEN '.ai' WHEN n % 7 = 0 THEN ' Labs' ELSE '' END,
    (ARRAY['Uber for ', 'Airbnb for ', 'The operating system of ', 'Payments for ', 'Reimagining '])[1 + n % 5]
        || (ARRAY['grief', 'laundry', 'parking', 'bees', 'dentists', 'silence', 'other startups'])[1 + n % 7],
    date '2009-01-05' + n,
    CASE WHEN n % 9 <> 0 THEN date '2009-01-05' + n + 90 + (n * 37) % 2400 END,
    CASE WHEN n % 9 <> 0 THEN (enum_range(NULL::cause_of_death))[1 + (n * 13) % 8] END,
    ((n * 104729) % 90000) * 1000,
    ((n * 7919) % 900) * 1000,
    2 + (n * 31) % 240,
    ARRAY[(ARRAY['b2b', 'b2c', 'b2vc'])[1 + n % 3], (ARRAY['crypto', 'wellness', 'logistics', 'pets'])[1 + n % 4]],
    jsonb_build_object('slides', 8 + n % 30, 'hockey_stick', n % 2 = 0, 'tam_usd', (1 + n % 900) * 1000000000::bigint),
    timestamptz '2009-01-05 09:00:00+00' + make_interval(days => n)
FROM generate_series(1, 4000) AS n
CROSS JOIN LATERAL (
    SELECT
        (ARRAY['Snack', 'Cloud', 'Grief', 'Hyper', 'Yo', 'Juice', 'Block', 'Pet', 'Moon', 'Zen'])[1 + n % 10] AS first,
        (ARRAY['ly', 'ify', 'chain', 'box', 'stack', 'hub', 'verse', 'path', 'mint'])[1 + n % 9] AS last
) AS w;

UPDATE startup SET reincarnation_of_id = id - 400 WHERE id > 400 AND id % 11 = 0;

INSERT INTO founder (handle, full_name, email, country, bio, deaths, klout, created_at)
SELECT
    'founder_' || n,
    (ARRAY['Ada', 'Chad', 'Mira', 'Tyler', 'Noor', 'Elon-Jan', 'Beatriz', 'Kai'])[1 + n % 8] || ' '
        || (ARRAY['Pivot', 'Runway', 'von Burn', 'Okafor', 'Series', 'Lindqvist', 'Exit'])[1 + n % 7],
    'Founder' || n || '@' || (ARRAY['stealth', 'gmail', 'ex-google'])[1 + n % 3] || '.example',
    CASE WHEN n % 2 = 0 THEN (ARRAY['US', 'DE', 'IN', 'BR', 'SE'])[1 + n % 5] END,
    CASE WHEN n % 3 = 0 THEN 'Serial entrepreneur. Parallel debtor.' END,
    1 + n % 6,
    (n * 17) % 100,
    timestamptz '2010-01-01 00:00:00+00' + make_interval(hours => n * 7)
FROM generate_series(1, 6000) AS n;

INSERT INTO founding (startup_id, founder_id, title, equity, left_early)
SELECT
    s,
    1 + (s * 3 + seat * 1009) % 6000,
    (ARRAY['CEO', 'CTO', 'Chief Vibes Officer'])[1 + seat],
    (ARRAY[60.00, 30.00, 0.10])[1 + seat],
    (s + seat) % 4 = 0
FROM generate_series(1, 4000) AS s, generate_series(0, 2) AS seat
WHERE seat < 1 + s % 3;

INSERT INTO autopsy (startup_id, edition, coroner_id, cause, summary, findings, published_at)
SELECT
    id,
    edition,
    CASE WHEN id % 4 <> 0 THEN 1 + (id * 11) % 6000 END,
    cause,
    (ARRAY[
        'We were early. So was the asteroid.',
        'The market was not ready, and neither was the login page.',
        'We ran out of runway while discussing the font of the runway chart.',
        'The culture was strong. The invoices were stronger.'
    ])[1 + ((id + edition) % 4)::int],
    jsonb_build_array(
        jsonb_build_object('finding', (ARRAY['kubernetes', 'foosball', 'rebrand', 'blog'])[1 + (id % 4)::int], 'usd', id % 500 * 1000),
        jsonb_build_object('finding', 'offsite', 'usd', 45000)
    ),
    CASE WHEN id % 10 <> 0 THEN died_on + interval '30 days' * edition END
FROM startup CROSS JOIN generate_series(1, 2) AS edition
WHERE died_on IS NOT NULL AND (edition = 1 OR id % 6 = 0)
ORDER BY id, edition;

UPDATE startup SET official_autopsy_id = autopsy.id
FROM autopsy
WHERE autopsy.startup_id = startup.id AND autopsy.edition = 1 AND startup.id % 5 <> 0;

INSERT INTO condolence (startup_id, mourner, tone, message, candles, source, left_at)
SELECT
    1 + floor(4000 * power(((n * 7919) % 100000) / 100000.0::float8, 2))::int,
    'mourner_' || (n * 31) % 9973,
    (enum_range(NULL::tone))[1 + (n * 7) % 3],
    (ARRAY[
        'They were like a family. A family with a liquidation preference.',
        'I learned so much. I will now post about it, in eleven parts.',
        'Gone too soon. Anyway, are you hiring?',
        'I still have the hoodie.',
        'Sent from my new company.'
    ])[1 + n % 5],
    n % 100,
    CASE WHEN n % 4 <> 0 THEN (ARRAY['feed', 'newsletter', 'podcast'])[1 + n % 3] END,
    timestamptz '2015-01-01 00:00:00+00' + make_interval(mins => n * 40)
FROM generate_series(1, 100000) AS n;

INSERT INTO relic (startup_id, lot, name, state, keeper_id, estimate, hammer_price, sold_at)
SELECT
    1 + (n - 1) % 4000,
    1 + (n - 1) / 4000,
    (ARRAY['beanbag', 'neon sign, HUSTLE', 'kombucha tap', 'unopened swag, 400 pieces', 'whiteboard, signed'])[1 + n % 5],
    (enum_range(NULL::relic_state))[1 + n % 4],
    CASE WHEN n % 3 = 0 THEN 1 + (n * 13) % 6000 END,
    50 + n % 900,
    CASE WHEN n % 4 = 2 THEN n % 300 END,
    CASE WHEN n % 4 = 2 THEN timestamptz '2020-02-02 12:00:00+00' + make_interval(hours => n) END
FROM generate_series(1, 9000) AS n;
