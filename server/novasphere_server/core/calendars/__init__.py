"""When schedules fire: pure functions of a timing, without a clock or a store.

`timings` says what a schedule asks for, `expressions` reads cron's languages, `zones` knows what clocks of
a time zone show, and `nominal_times` puts the three together.
"""
