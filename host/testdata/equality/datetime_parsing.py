import datetime
import time

print(datetime.datetime.strptime("2024-02-29 23:59", "%Y-%m-%d %H:%M"), time.strptime("1 Jan 24", "%d %b %y")[:3])
print(datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC).isoformat(), datetime.timedelta(days=1.5))
try:
    import zoneinfo

    print(zoneinfo.ZoneInfo("Europe/Paris"))
except Exception as e:
    print(type(e).__name__, e)
