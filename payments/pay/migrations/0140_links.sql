-- Wrong PINs that were given for a key by links, apart from those in the app: they are not forgotten, and shut links alone.
alter table pay_key add column link_wrong bigint not null default 0; -- since the last right one by a link
alter table pay_key add column link_waits bigint not null default 0; -- until when none is tried by any link
alter table pay_key add column link_guessed bigint not null default 0; -- until when they are worked off, right ones between them or not
