-- Until when wrong PINs are worked off that were given for a key, right ones between them or not.
alter table pay_key add column guessed bigint not null default 0;
