-- Whether an administrator made it over the wire, and not whoever has the machine.
alter table register_invite add column desk boolean not null default false;
