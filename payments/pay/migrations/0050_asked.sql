-- A request may ask for a hold or a mandate instead of money; these are its terms. Amounts are minor units, times UTC microseconds, 0 where there is none.
alter table pay_request add column kind text not null default ''; -- hold, mandate; empty for money
alter table pay_request add column total bigint not null default 0; -- at most, in a period
alter table pay_request add column period text not null default '';
alter table pay_request add column until bigint not null default 0; -- when the hold or the mandate ends

-- The request that a mandate answers.
alter table pay_mandate add column asked text not null default '';
