-- The hats that somebody wears (XEP-0317), as addresses with blanks between; '' for none. What they are called is in the settings of the group.
alter table group_member add column hats text not null default '';
