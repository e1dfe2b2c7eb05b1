-- What was said is taken back with its corrections (kind 4).
create index group_entry_correction on group_entry (room, author, id) where kind = 4;
