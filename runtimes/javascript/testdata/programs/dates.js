// Dates in UTC.
const d = new Date(Date.UTC(2024, 1, 29, 13, 45, 30, 123));
console.log(d.toISOString(), d.toJSON(), d.getTime(), +d, d.getUTCDay(), d.getTimezoneOffset());
console.log(String(d)); console.log(d.toDateString(), '|', d.toTimeString(), '|', d.toUTCString());
console.log(d.toLocaleString(), '|', d.toLocaleDateString(), '|', d.toLocaleTimeString());
console.log(d.toLocaleDateString('en-US', { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' }), '|', d.toLocaleDateString('en-US', { month: 'short', day: '2-digit' }), '|', d.toLocaleTimeString('en-US', { hour: '2-digit', minute: '2-digit' }), '|', d.toLocaleTimeString('en-US', { hour12: false }));
console.log(d.toLocaleDateString('en-GB'), d.toLocaleDateString('de-DE'), d.toLocaleDateString('sv-SE'), d.toLocaleDateString('en-CA'), d.toLocaleDateString('fr-FR'), d.toLocaleString('en-US', { timeZone: 'America/New_York' }), d.toLocaleString('en-US', { dateStyle: 'medium', timeStyle: 'short' }), d.toLocaleString('en-US', { timeZone: 'Europe/Paris', timeZoneName: 'short' }));
const addDays = (x, n) => { const y = new Date(x); y.setUTCDate(y.getUTCDate() + n); return y; }; console.log([1, 7, 366].map((n) => addDays(d, n).toISOString().slice(0, 10)));
console.log(Math.round((new Date('2024-12-25') - new Date('2024-01-01')) / 864e5), new Date('2024-03-10T10:00:00+02:00').toISOString(), new Date('invalid').getTime(), Date.parse('2000-01-01'));
console.log(new Date(2024, 0, 31).getMonth(), new Date(2024, 1, 0).getDate(), [2023, 2024, 1900, 2000].map((y) => new Date(Date.UTC(y, 1, 29)).getUTCMonth() === 1));
console.log(new Intl.DateTimeFormat('en-US', { year: 'numeric', month: '2-digit', day: '2-digit' }).format(d), new Intl.DateTimeFormat('en-US', { month: 'long' }).formatToParts(d), Intl.DateTimeFormat().resolvedOptions().timeZone);
const weekday = (x) => ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][x.getUTCDay()]; console.log(weekday(d), d.valueOf() === +d, typeof Date.now(), d > new Date(0), `${new Date(0).toISOString()}`);
console.log(new Date('December 17, 1995 03:24:00').toISOString(), new Date('1995-12-17T03:24:00').toISOString(), new Date(2020, 5).toISOString(), new Date('2024/05/06').toISOString());
