-- Which administrator made it: the local part, or empty for one of before.
alter table register_password add column maker text not null default '';
