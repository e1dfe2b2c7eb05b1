-- Whether a share stays set against others until it is over, also when people leave the group: somebody was paid what the pot owed while it was in it.
alter table pay_request add column bound boolean not null default false;
-- Of payments before, nobody knows who was in the group: what was agreed to there is taken to have been in the pot.
update pay_request set bound = true where agreed and due > 0 and exists (select 1 from pay_settled t join pay_split p on p.within = t.within
    where p.id = pay_request.split and t.unit = pay_request.unit and not t.closed);
