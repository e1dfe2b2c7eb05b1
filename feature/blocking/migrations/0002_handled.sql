-- When an administrator has dealt with a report; 0 for not yet.
alter table blocking_report add column handled bigint not null default 0;
