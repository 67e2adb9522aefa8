-- R__account_balance.sql
create or replace view account_balance as
select a.id, coalesce(sum(t.amount), 0) as balance
from account a left join transfer t on t.to_account = a.id
group by a.id;
grant select on account_balance to reporting;
