-- Which comparisons are those of the night: it goes on from where they ended, whatever else was compared by hand. What was compared before this counts as the
-- night's, as most of it was.
alter table rail_report add column night integer not null default 0;
update rail_report set night = 1;
create index rail_report_night on rail_report (rail, night, id);
