-- One row per episode: in which spans did a rule hold? Those that ended stand in the day of the reading that ended them; what is open stands once,
-- as the last day with readings left it. Of an open silence began_ms may lie ahead: it is the time from which the device will be silent.
select
    site,
    device,
    profile,
    rule,
    kind,
    severity,
    began_ms,
    ended_ms,
    worst,
    readings,
    why
from episodes
where ended_ms is not null or day = (select max(day) from metric_hours)
