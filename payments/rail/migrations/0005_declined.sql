-- A verdict may also be withdrawn by who has proposed it, or refused by somebody else: approver is who did that.
alter table rail_verdict add column declined boolean not null default false;
