// The parts of Intl that programs use, in English and a few other languages.
__define('internal/intl', (module, exports, require) => {
'use strict';
const { unavailable } = require('internal/errors');

// --- numbers

// What separates digits: groups, decimals, and where the sign of a currency goes.
const separators = {
  de: ['.', ',', 'after'], fr: ['\u202f', ',', 'after'], es: ['.', ',', 'after', 5], it: ['.', ',', 'after', 5], pt: ['.', ',', 'before '],
  nl: ['.', ',', 'before '], sv: ['\u00a0', ',', 'after'], da: ['.', ',', 'after'], nb: ['\u00a0', ',', 'after'], fi: ['\u00a0', ',', 'after'],
  pl: ['\u00a0', ',', 'after', 5], ru: ['\u00a0', ',', 'after'], cs: ['\u00a0', ',', 'after'], tr: ['.', ',', 'before'],
};
const symbols = {
  USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹', CNY: 'CN¥', KRW: '₩', BRL: 'R$', CAD: 'CA$', AUD: 'A$', MXN: 'MX$', NZD: 'NZ$', HKD: 'HK$',
  ILS: '₪', VND: '₫', TWD: 'NT$', XAF: 'FCFA', PHP: '₱',
};
const own = { en: {}, ja: { JPY: '￥' }, 'en-CA': { CAD: '$', USD: 'US$' }, 'en-AU': { AUD: '$', USD: 'USD' }, 'es-MX': { MXN: '$', USD: 'USD' }, zh: { CNY: '¥' } };
const currencyNames = {
  USD: ['US dollar', 'US dollars'], EUR: ['euro', 'euros'], GBP: ['British pound', 'British pounds'], JPY: ['Japanese yen', 'Japanese yen'],
};
const noDecimals = ['JPY', 'KRW', 'VND', 'CLP', 'ISK', 'XAF', 'XOF', 'UGX'];
const units = {
  kilometer: 'km', meter: 'm', centimeter: 'cm', millimeter: 'mm', mile: 'mi', foot: 'ft', inch: 'in', yard: 'yd', kilogram: 'kg', gram: 'g',
  pound: 'lb', ounce: 'oz', liter: 'L', milliliter: 'mL', celsius: '°C', fahrenheit: '°F', percent: '%', second: 'sec', minute: 'min', hour: 'hr',
  day: 'day', week: 'wk', month: 'mth', year: 'yr', millisecond: 'ms', byte: 'byte', kilobyte: 'kB', megabyte: 'MB', gigabyte: 'GB',
  terabyte: 'TB', bit: 'bit', degree: 'deg', 'kilometer-per-hour': 'km/h', 'mile-per-hour': 'mph', 'meter-per-second': 'm/s', acre: 'ac',
  gallon: 'gal',
};
const pluralUnits = { day: 'days', week: 'wks', month: 'mths', year: 'yrs', byte: 'byte' };

function localeOf(locales) {
  const first = Array.isArray(locales) ? locales[0] : locales;
  if (first === undefined) return 'en-US';
  if (typeof first !== 'string' && typeof first !== 'object') throw new TypeError('Incorrect locale information provided');
  const name = `${first}`;
  if (!/^[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8})*$/.test(name)) throw new RangeError(`Incorrect locale information provided`);
  const parts = name.split(/[-_]/);
  return parts.map((part, i) => (i === 0 ? part.toLowerCase() : part.length === 2 ? part.toUpperCase() : part)).join('-');
}

const languageOf = (locale) => locale.split('-')[0];

function option(options, name, allowed, fallback) {
  const value = options[name];
  if (value === undefined) return fallback;
  if (!allowed.includes(`${value}`)) throw new RangeError(`Value ${value} out of range for Intl options property ${name}`);
  return `${value}`;
}

function digitOption(options, name, low, high, fallback) {
  const value = options[name];
  if (value === undefined) return fallback;
  const number = Math.floor(Number(value));
  if (!(number >= low && number <= high)) throw new RangeError(`${name} value is out of range.`);
  return number;
}

function numberSettings(locales, options = {}) {
  if (options === null) throw new TypeError('Cannot convert undefined or null to object');
  const s = {
    locale: localeOf(locales),
    style: option(options, 'style', ['decimal', 'percent', 'currency', 'unit'], 'decimal'),
    currency: options.currency === undefined ? undefined : `${options.currency}`.toUpperCase(),
    currencyDisplay: options.currencyDisplay ?? 'symbol',
    currencySign: options.currencySign ?? 'standard',
    unit: options.unit,
    unitDisplay: options.unitDisplay ?? 'short',
    notation: option(options, 'notation', ['standard', 'scientific', 'engineering', 'compact'], 'standard'),
    compactDisplay: options.compactDisplay ?? 'short',
    signDisplay: options.signDisplay ?? 'auto',
    useGrouping: options.useGrouping ?? true,
    roundingMode: options.roundingMode ?? 'halfExpand',
  };
  if (s.style === 'currency') {
    if (s.currency === undefined) throw new TypeError('Currency code is required with currency style.');
    if (!/^[A-Z]{3}$/.test(s.currency)) throw new RangeError(`Invalid currency code : ${options.currency}`);
  }
  if (s.style === 'unit' && s.unit === undefined) throw new TypeError('Unit is required with unit style.');
  const decimals = s.style === 'currency' ? (noDecimals.includes(s.currency) ? 0 : 2) : 0;
  const most = s.style === 'currency' ? decimals : s.style === 'percent' ? 0 : 3;
  s.minimumIntegerDigits = digitOption(options, 'minimumIntegerDigits', 1, 21, 1);
  s.significant = options.minimumSignificantDigits !== undefined || options.maximumSignificantDigits !== undefined;
  if (s.significant) {
    s.minimumSignificantDigits = digitOption(options, 'minimumSignificantDigits', 1, 21, 1);
    s.maximumSignificantDigits = digitOption(options, 'maximumSignificantDigits', s.minimumSignificantDigits, 21, 21);
  } else {
    const low = digitOption(options, 'minimumFractionDigits', 0, 100, undefined);
    const high = digitOption(options, 'maximumFractionDigits', 0, 100, undefined);
    s.compactRounding = s.notation === 'compact' && low === undefined && high === undefined;
    s.minimumFractionDigits = low ?? Math.min(decimals, high ?? decimals);
    s.maximumFractionDigits = high ?? Math.max(most, s.minimumFractionDigits);
    if (s.minimumFractionDigits > s.maximumFractionDigits) throw new RangeError('maximumFractionDigits value is out of range.');
  }
  return s;
}

// decimalOf returns the digits of a number and where its point is: 12.5 is
// ["125", 2].
function decimalOf(value) {
  const [mantissa, exponent = '0'] = `${value}`.replace('-', '').split('e');
  const [whole, part = ''] = mantissa.split('.');
  const digits = (whole + part).replace(/^0+(?=\d)/, '');
  return { digits, point: whole.length + Number(exponent) - (whole.length + part.length - digits.length) };
}

// rounded returns digits cut after the given number of places behind the point.
function rounded({ digits, point }, places, mode) {
  const keep = point + places;
  if (keep >= digits.length) return { digits, point };
  if (keep < 0) {
    const all = mode === 'ceil' || mode === 'expand';
    return all && /[1-9]/.test(digits) ? { digits: '1', point: 1 - places } : { digits: '0', point: 1 };
  }
  const rest = digits.slice(keep);
  let up = rest[0] >= '5';
  if (mode === 'trunc' || mode === 'floor') up = false;
  else if (mode === 'ceil' || mode === 'expand') up = /[1-9]/.test(rest);
  else if (mode === 'halfEven' && /^50*$/.test(rest)) up = Number(digits[keep - 1] ?? 0) % 2 === 1;
  const kept = digits.slice(0, keep) || '0';
  if (!up) return { digits: kept, point: keep === 0 ? point + 1 : point };
  const more = `${BigInt(kept) + 1n}`;
  const padded = more.padStart(kept.length, '0');
  if (keep === 0) return { digits: padded, point: point + padded.length };
  return { digits: padded, point: point + padded.length - kept.length };
}

function plain(value, s) {
  let decimal = decimalOf(value);
  let low = s.minimumFractionDigits;
  if (s.significant) {
    const lead = /^0*$/.test(decimal.digits) ? 1 : decimal.point;
    decimal = rounded(decimal, s.maximumSignificantDigits - lead, s.roundingMode);
    low = Math.max(0, s.minimumSignificantDigits - Math.max(lead, lead <= 0 ? lead : 1));
  } else {
    decimal = rounded(decimal, s.maximumFractionDigits, s.roundingMode);
  }
  const { digits, point } = decimal;
  let whole = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0');
  let part = point <= 0 ? '0'.repeat(-point) + digits : digits.slice(point);
  part = part.replace(/0+$/, '').padEnd(low, '0');
  whole = whole.replace(/^0+(?=\d)/, '').padStart(s.minimumIntegerDigits, '0');
  return { whole, part };
}

function grouped(whole, s) {
  const [group, , , least = 4] = separators[languageOf(s.locale)] ?? [','];
  if (s.useGrouping === false || s.useGrouping === 'false' || (whole.length < least && s.useGrouping !== 'always')) return [whole];
  if (s.useGrouping === 'min2' && whole.length < 5) return [whole];
  if (s.locale === 'en-IN' || s.locale === 'hi-IN') return whole.replace(/\B(?=(?:\d{2})*\d{3}$)/g, group).split(group);
  return whole.replace(/\B(?=(?:\d{3})+$)/g, '\0').split('\0');
}

const compactNames = [['', ''], ['K', ' thousand'], ['M', ' million'], ['B', ' billion'], ['T', ' trillion']];

// numberParts returns a number as Intl's parts.
function numberParts(value, s) {
  const parts = [];
  const add = (type, text) => {
    if (text !== '') parts.push({ type, value: text });
  };
  if (typeof value !== 'bigint') value = Number(value);
  const negative = typeof value === 'bigint' ? value < 0n : value < 0 || Object.is(value, -0);
  let size = negative ? -value : value;
  if (s.style === 'percent' && typeof size === 'number') {
    const { digits, point } = decimalOf(size);
    size = Number.isFinite(size) ? Number(`0.${digits}e${point + 2}`) : size;
  }
  const [group, decimal] = separators[languageOf(s.locale)] ?? [',', '.'];
  let suffix = '';
  let exponent;
  const number = [];
  let zero = false;
  if (size !== size) number.push({ type: 'nan', value: 'NaN' });
  else if (size === Infinity) number.push({ type: 'infinity', value: '∞' });
  else {
    let settings = s;
    if (s.notation === 'compact') {
      let n = Number(size);
      let step = 0;
      while (n >= 1000 && step < 4) {
        n /= 1000;
        step++;
      }
      if (s.compactRounding) settings = { ...s, significant: true, minimumSignificantDigits: 1, maximumSignificantDigits: Math.max(2, Math.floor(Math.log10(n || 1)) + 1) };
      if (Number(plain(n, settings).whole) >= 1000 && step < 4) {
        n /= 1000;
        step++;
      }
      size = n;
      suffix = compactNames[step][s.compactDisplay === 'long' ? 1 : 0];
      settings = { ...settings, useGrouping: settings.useGrouping === true ? 'min2' : settings.useGrouping };
    } else if (s.notation === 'scientific' || s.notation === 'engineering') {
      const { digits, point } = decimalOf(size);
      exponent = /[1-9]/.test(digits) ? point - 1 : 0;
      if (s.notation === 'engineering') exponent = Math.floor(exponent / 3) * 3;
      size = Number(`0.${digits}e${point - exponent}`);
    }
    const { whole, part } = plain(size, settings);
    zero = /^0*$/.test(whole + part);
    grouped(whole, settings).forEach((piece, i) => {
      if (i > 0) number.push({ type: 'group', value: group });
      number.push({ type: 'integer', value: piece });
    });
    if (part !== '') number.push({ type: 'decimal', value: decimal }, { type: 'fraction', value: part });
    if (exponent !== undefined) number.push({ type: 'literal', value: `E${exponent}` });
    if (suffix !== '') {
      if (suffix[0] === ' ') number.push({ type: 'literal', value: ' ' });
      number.push({ type: 'compact', value: suffix.trim() });
    }
  }
  let sign = '';
  if (s.signDisplay === 'auto') sign = negative ? '-' : '';
  else if (s.signDisplay === 'always') sign = negative ? '-' : '+';
  else if (s.signDisplay === 'exceptZero') sign = zero ? '' : negative ? '-' : '+';
  else if (s.signDisplay === 'negative') sign = negative && !zero ? '-' : '';
  const signPart = sign === '' ? [] : [{ type: sign === '-' ? 'minusSign' : 'plusSign', value: sign }];
  if (s.style === 'currency') {
    const language = languageOf(s.locale);
    let symbol = own[s.locale]?.[s.currency] ?? own[language]?.[s.currency] ?? symbols[s.currency] ?? s.currency;
    if (s.currencyDisplay === 'code') symbol = s.currency;
    if (s.currencyDisplay === 'narrowSymbol') symbol = (symbols[s.currency] ?? s.currency).replace(/^[A-Z]+(?=\W)/, '');
    if (s.currencyDisplay === 'name') {
      const one = number.map((x) => x.value).join('') === '1';
      const names = currencyNames[s.currency];
      return [...signPart, ...number, { type: 'literal', value: ' ' }, { type: 'currency', value: names ? names[one ? 0 : 1] : s.currency }];
    }
    const where = separators[language]?.[2] ?? 'before';
    const accounting = s.currencySign === 'accounting' && sign === '-' && where !== 'after';
    if (accounting) add('literal', '(');
    else parts.push(...signPart);
    if (where === 'after') {
      parts.push(...number);
      add('literal', '\u00a0');
      add('currency', symbol);
    } else {
      add('currency', symbol);
      if (where === 'before ' || /[A-Za-z]$/.test(symbol)) add('literal', '\u00a0');
      parts.push(...number);
    }
    if (accounting) add('literal', ')');
    return parts;
  }
  parts.push(...signPart, ...number);
  if (s.style === 'percent') {
    if (separators[languageOf(s.locale)]?.[2] === 'after' && !['it'].includes(languageOf(s.locale))) add('literal', '\u00a0');
    add('percentSign', '%');
  } else if (s.style === 'unit') {
    const one = number.map((x) => x.value).join('') === '1';
    if (s.unitDisplay === 'long') {
      const [unit, per] = s.unit.split('-per-');
      add('literal', ' ');
      const plural = { foot: 'feet', inch: 'inches', celsius: 'degrees Celsius', fahrenheit: 'degrees Fahrenheit' }[unit] ?? `${unit}s`;
      add('unit', `${one ? unit : plural}${per ? ` per ${per}` : ''}`);
    } else {
      const short = units[s.unit];
      if (short === undefined) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${s.unit}'`);
      if (s.unit !== 'percent' && !/^°/.test(short)) add('literal', s.unitDisplay === 'narrow' ? '' : ' ');
      add('unit', one ? short : pluralUnits[s.unit] ?? short);
    }
  }
  return parts;
}

const textOf = (parts) => parts.map((part) => part.value).join('');

function formatNumber(value, locales, options) {
  return textOf(numberParts(value, numberSettings(locales, options)));
}

class NumberFormat {
  #settings;
  #bound;

  constructor(locales, options) {
    this.#settings = numberSettings(locales, options);
  }

  get format() {
    this.#bound ??= (value) => textOf(numberParts(value, this.#settings));
    return this.#bound;
  }

  formatToParts(value) {
    return numberParts(value, this.#settings);
  }

  formatRange(from, to) {
    const [a, b] = [this.format(from), this.format(to)];
    return a === b ? `~${a}` : `${a} – ${b}`;
  }

  resolvedOptions() {
    const { significant, compactRounding, ...settings } = this.#settings;
    const found = { numberingSystem: 'latn', ...settings };
    for (const name of Object.keys(found)) if (found[name] === undefined) delete found[name];
    return found;
  }
}

// --- dates

const languages = {
  en: {
    months: 'January February March April May June July August September October November December'.split(' '),
    shortMonths: 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' '),
    days: 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' '),
    shortDays: 'Sun Mon Tue Wed Thu Fri Sat'.split(' '),
  },
  de: {
    months: 'Januar Februar März April Mai Juni Juli August September Oktober November Dezember'.split(' '),
    shortMonths: 'Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.'.split(' '),
    days: 'Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag'.split(' '),
    shortDays: 'So Mo Di Mi Do Fr Sa'.split(' '),
  },
  fr: {
    months: 'janvier février mars avril mai juin juillet août septembre octobre novembre décembre'.split(' '),
    shortMonths: 'janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.'.split(' '),
    days: 'dimanche lundi mardi mercredi jeudi vendredi samedi'.split(' '),
    shortDays: 'dim. lun. mar. mer. jeu. ven. sam.'.split(' '),
  },
  es: {
    months: 'enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre'.split(' '),
    shortMonths: 'ene feb mar abr may jun jul ago sept oct nov dic'.split(' '),
    days: 'domingo lunes martes miércoles jueves viernes sábado'.split(' '),
    shortDays: 'dom lun mar mié jue vie sáb'.split(' '),
  },
};

// Numeric dates by locale: order and separator, whether digits are padded, and
// what stands between date and time.
const numeric = {
  'en-US': ['mdy', '/', false, ', '], 'en-GB': ['dmy', '/', true, ', '], 'en-AU': ['dmy', '/', true, ', '], 'en-NZ': ['dmy', '/', true, ', '],
  'en-IN': ['dmy', '/', false, ', '], 'en-CA': ['ymd', '-', true, ', '], 'fr-CA': ['ymd', '-', true, ' '], sv: ['ymd', '-', true, ' '],
  de: ['dmy', '.', false, ', '], fr: ['dmy', '/', true, ' '], es: ['dmy', '/', false, ', '], it: ['dmy', '/', false, ', '],
  pt: ['dmy', '/', true, ', '], nl: ['dmy', '-', false, ', '], ja: ['ymd', '/', false, ' '], zh: ['ymd', '/', false, ' '],
  pl: ['dmy', '.', false, ', '], ru: ['dmy', '.', true, ', '], da: ['dmy', '.', false, ' '], en: ['mdy', '/', false, ', '],
};
const twelve = /^(?:en(?!-GB|-IE)|hi|ko|ar)/;

// Zones: minutes east of Greenwich, the rule of summer time, and names.
const zones = {
  UTC: [0, '', 'UTC'], GMT: [0, '', 'UTC'], 'Etc/UTC': [0, '', 'UTC'], 'America/New_York': [-300, 'us', 'EST', 'EDT'],
  'America/Toronto': [-300, 'us', 'EST', 'EDT'], 'America/Detroit': [-300, 'us', 'EST', 'EDT'], 'America/Chicago': [-360, 'us', 'CST', 'CDT'],
  'America/Denver': [-420, 'us', 'MST', 'MDT'], 'America/Phoenix': [-420, '', 'MST'], 'America/Los_Angeles': [-480, 'us', 'PST', 'PDT'],
  'America/Vancouver': [-480, 'us', 'PST', 'PDT'], 'America/Anchorage': [-540, 'us', 'AKST', 'AKDT'], 'Pacific/Honolulu': [-600, '', 'HST'],
  'America/Halifax': [-240, 'us', 'AST', 'ADT'], 'America/Sao_Paulo': [-180, '', 'GMT-3'], 'America/Mexico_City': [-360, '', 'CST'],
  'America/Bogota': [-300, '', 'GMT-5'], 'America/Argentina/Buenos_Aires': [-180, '', 'GMT-3'], 'Europe/London': [0, 'eu', 'GMT', 'GMT+1'],
  'Europe/Dublin': [0, 'eu', 'GMT', 'GMT+1'], 'Europe/Lisbon': [0, 'eu', 'GMT', 'GMT+1'], 'Europe/Moscow': [180, '', 'GMT+3'],
  'Europe/Istanbul': [180, '', 'GMT+3'], 'Asia/Dubai': [240, '', 'GMT+4'], 'Asia/Kolkata': [330, '', 'GMT+5:30'], 'Asia/Calcutta': [330, '', 'GMT+5:30'],
  'Asia/Karachi': [300, '', 'GMT+5'], 'Asia/Dhaka': [360, '', 'GMT+6'], 'Asia/Bangkok': [420, '', 'GMT+7'], 'Asia/Jakarta': [420, '', 'GMT+7'],
  'Asia/Shanghai': [480, '', 'GMT+8'], 'Asia/Hong_Kong': [480, '', 'GMT+8'], 'Asia/Singapore': [480, '', 'GMT+8'], 'Asia/Manila': [480, '', 'GMT+8'],
  'Asia/Taipei': [480, '', 'GMT+8'], 'Australia/Perth': [480, '', 'GMT+8'], 'Asia/Tokyo': [540, '', 'GMT+9'], 'Asia/Seoul': [540, '', 'GMT+9'],
  'Australia/Brisbane': [600, '', 'GMT+10'], 'Australia/Sydney': [600, 'au', 'GMT+10', 'GMT+11'], 'Australia/Melbourne': [600, 'au', 'GMT+10', 'GMT+11'],
  'Pacific/Auckland': [720, 'nz', 'GMT+12', 'GMT+13'], 'Africa/Lagos': [60, '', 'GMT+1'], 'Africa/Johannesburg': [120, '', 'GMT+2'],
  'Africa/Nairobi': [180, '', 'GMT+3'], 'Africa/Cairo': [120, '', 'GMT+2'], 'Asia/Jerusalem': [120, '', 'GMT+2'],
};
for (const name of ['Paris', 'Berlin', 'Madrid', 'Rome', 'Amsterdam', 'Brussels', 'Vienna', 'Zurich', 'Stockholm', 'Oslo', 'Copenhagen', 'Warsaw',
  'Prague', 'Budapest']) zones[`Europe/${name}`] = [60, 'eu', 'GMT+1', 'GMT+2'];
for (const name of ['Athens', 'Helsinki', 'Kiev', 'Kyiv', 'Bucharest', 'Sofia']) zones[`Europe/${name}`] = [120, 'eu', 'GMT+2', 'GMT+3'];
const zoneNames = new Map(Object.keys(zones).map((name) => [name.toLowerCase(), name]));

// sunday returns the time of the nth Sunday of a month (-1: the last), at an hour.
function sunday(year, month, n, minutes) {
  if (n > 0) {
    const first = new Date(Date.UTC(year, month, 1)).getUTCDay();
    return Date.UTC(year, month, 1 + ((7 - first) % 7) + (n - 1) * 7) + minutes * 60000;
  }
  const last = new Date(Date.UTC(year, month + 1, 0));
  return Date.UTC(year, month, last.getUTCDate() - last.getUTCDay()) + minutes * 60000;
}

// offsetOf returns a zone's minutes east of Greenwich at a time, and its name then.
function offsetOf(zone, time) {
  if (/^[+-]/.test(zone)) {
    const m = /^([+-])(\d{2}):(\d{2})$/.exec(zone);
    return { minutes: (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3])), name: `GMT${m[1]}${Number(m[2])}${m[3] === '00' ? '' : `:${m[3]}`}` };
  }
  const [minutes, rule, standard, summer] = zones[zone];
  const year = new Date(time).getUTCFullYear();
  let isSummer = false;
  if (rule === 'us') isSummer = time >= sunday(year, 2, 2, 120 - minutes) && time < sunday(year, 10, 1, 60 - minutes);
  else if (rule === 'eu') isSummer = time >= sunday(year, 2, -1, 60) && time < sunday(year, 9, -1, 60);
  else if (rule === 'au') isSummer = !(time >= sunday(year, 3, 1, 120 - minutes) && time < sunday(year, 9, 1, 120 - minutes));
  else if (rule === 'nz') isSummer = !(time >= sunday(year, 3, 1, 120 - minutes) && time < sunday(year, 8, -1, 120 - minutes));
  return isSummer ? { minutes: minutes + 60, name: summer } : { minutes, name: standard };
}

function zoneOf(name) {
  if (name === undefined) return 'UTC';
  const known = zoneNames.get(`${name}`.toLowerCase());
  if (known !== undefined) return known;
  const m = /^([+-])(\d{2}):?(\d{2})?$/.exec(`${name}`);
  if (m !== null) return `${m[1]}${m[2]}:${m[3] ?? '00'}`;
  throw new RangeError(`Invalid time zone specified: ${name}`);
}

const dateFields = ['weekday', 'year', 'month', 'day'];
const timeFields = ['dayPeriod', 'hour', 'minute', 'second', 'fractionalSecondDigits'];
const styles = {
  full: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
  long: { year: 'numeric', month: 'long', day: 'numeric' },
  medium: { year: 'numeric', month: 'short', day: 'numeric' },
  short: { year: '2-digit', month: 'numeric', day: 'numeric' },
};

function dateSettings(locales, options = {}, required = 'any', defaults = 'date') {
  if (options === null) throw new TypeError('Cannot convert undefined or null to object');
  const s = { locale: localeOf(locales), timeZone: zoneOf(options.timeZone), style: options.dateStyle };
  for (const name of [...dateFields, ...timeFields, 'era', 'timeZoneName']) if (options[name] !== undefined) s[name] = options[name];
  const any = (names) => names.some((name) => s[name] !== undefined);
  if (options.dateStyle !== undefined || options.timeStyle !== undefined) {
    if (any([...dateFields, ...timeFields])) {
      throw new TypeError(`Can't set option ${[...dateFields, ...timeFields].find((name) => s[name] !== undefined)} when ${
        options.dateStyle !== undefined ? 'dateStyle' : 'timeStyle'} is used`);
    }
    if (options.dateStyle !== undefined) Object.assign(s, styles[option(options, 'dateStyle', Object.keys(styles))]);
    if (options.timeStyle !== undefined) {
      Object.assign(s, { hour: 'numeric', minute: '2-digit' });
      const style = option(options, 'timeStyle', Object.keys(styles));
      if (style !== 'short') s.second = '2-digit';
      if (style === 'full') s.timeZoneName = 'long';
      if (style === 'long') s.timeZoneName = 'short';
    }
  } else {
    const need = (required !== 'time' && any(dateFields)) || (required !== 'date' && any(timeFields));
    if (!need) {
      if (defaults !== 'time') Object.assign(s, { year: 'numeric', month: 'numeric', day: 'numeric' });
      if (defaults !== 'date') Object.assign(s, { hour: 'numeric', minute: '2-digit', second: '2-digit' });
    }
  }
  s.hour12 = options.hour12 ?? (options.hourCycle === undefined ? twelve.test(s.locale) : /^h1[12]$/.test(options.hourCycle));
  s.cycle = options.hourCycle;
  return s;
}

// dateParts returns a date as Intl's parts.
function dateParts(date, s) {
  const time = date === undefined ? Date.now() : Number(date);
  if (!Number.isFinite(time)) throw new RangeError('Invalid time value');
  const offset = offsetOf(s.timeZone, time);
  const at = new Date(time + offset.minutes * 60000);
  const language = languageOf(s.locale);
  const names = languages[language] ?? languages.en;
  const [order, separator, padded, between] = numeric[s.locale] ?? numeric[language] ?? numeric['en-US'];
  const two = (n) => `${n}`.padStart(2, '0');
  const field = {};
  if (s.year !== undefined) field.year = s.year === '2-digit' ? two(at.getUTCFullYear() % 100) : `${at.getUTCFullYear()}`;
  const textual = s.month !== undefined && !/^(?:numeric|2-digit)$/.test(s.month);
  const padAll = padded && s.month !== undefined && s.day !== undefined && s.year !== undefined;
  if (s.month !== undefined) {
    const month = at.getUTCMonth();
    if (s.month === 'long') field.month = names.months[month];
    else if (s.month === 'short') field.month = names.shortMonths[month];
    else if (s.month === 'narrow') field.month = names.months[month][0];
    else field.month = s.month === '2-digit' || padAll ? two(month + 1) : `${month + 1}`;
  }
  if (s.day !== undefined) field.day = s.day === '2-digit' || (padAll && !textual) ? two(at.getUTCDate()) : `${at.getUTCDate()}`;
  if (s.weekday !== undefined) {
    const day = at.getUTCDay();
    field.weekday = s.weekday === 'long' ? names.days[day] : s.weekday === 'short' ? names.shortDays[day] : names.days[day][0];
  }
  const parts = [];
  const literal = (value) => {
    if (parts.length > 0) parts.push({ type: 'literal', value });
  };
  const add = (type) => parts.push({ type, value: field[type] });
  if (textual) {
    if (s.locale === 'en-US' || !languages[language] || ['en-CA', 'en'].includes(s.locale)) {
      if (field.weekday !== undefined) add('weekday');
      if (field.weekday !== undefined) literal(', ');
      add('month');
      if (field.day !== undefined) {
        literal(' ');
        add('day');
      }
      if (field.year !== undefined) {
        literal(field.day === undefined ? ' ' : ', ');
        add('year');
      }
    } else {
      if (field.weekday !== undefined) {
        add('weekday');
        literal(language === 'fr' ? ' ' : ', ');
      }
      if (field.day !== undefined) {
        add('day');
        parts.push({ type: 'literal', value: language === 'de' ? '. ' : language === 'es' && s.month === 'long' ? ' de ' : ' ' });
      }
      add('month');
      if (field.year !== undefined) {
        literal(language === 'es' && s.month === 'long' ? ' de ' : ' ');
        add('year');
      }
    }
  } else {
    if (field.weekday !== undefined) add('weekday');
    let first = true;
    for (const letter of order) {
      const type = { d: 'day', m: 'month', y: 'year' }[letter];
      if (field[type] === undefined) continue;
      literal(first ? ', ' : separator);
      first = false;
      add(type);
    }
  }
  if (s.hour !== undefined || s.minute !== undefined || s.second !== undefined || s.fractionalSecondDigits !== undefined) {
    const long = textual && (s.style === 'full' || s.style === 'long' || (s.style === undefined && s.month === 'long'));
    if (parts.length > 0) literal(long && language === 'en' ? ' at ' : long && language === 'de' ? ' um ' : long && language === 'fr' ? ' à ' : between);
    const hours = at.getUTCHours();
    const clock = [];
    if (s.hour !== undefined) {
      let hour = s.hour12 ? (s.cycle === 'h11' ? hours % 12 : hours % 12 || 12) : hours;
      if (!s.hour12 && s.cycle === undefined && s.locale === 'en-US' && hour === 0) hour = 24;
      if (s.cycle === 'h24' && hour === 0) hour = 24;
      clock.push({ type: 'hour', value: s.hour === '2-digit' || !s.hour12 ? two(hour) : `${hour}` });
    }
    if (s.minute !== undefined) {
      const alone = s.hour === undefined && s.second === undefined;
      clock.push({ type: 'minute', value: alone ? `${at.getUTCMinutes()}` : two(at.getUTCMinutes()) });
    }
    if (s.second !== undefined) {
      const alone = s.hour === undefined && s.minute === undefined;
      clock.push({ type: 'second', value: alone ? `${at.getUTCSeconds()}` : two(at.getUTCSeconds()) });
    }
    clock.forEach((part, i) => {
      if (i > 0) parts.push({ type: 'literal', value: ':' });
      parts.push(part);
    });
    if (s.fractionalSecondDigits !== undefined) {
      parts.push({ type: 'literal', value: '.' });
      parts.push({ type: 'fractionalSecond', value: `${at.getUTCMilliseconds()}`.padStart(3, '0').slice(0, s.fractionalSecondDigits) });
    }
    if (s.hour !== undefined && s.hour12) {
      parts.push({ type: 'literal', value: ' ' });
      const period = hours < 12 ? 'AM' : 'PM';
      parts.push({ type: 'dayPeriod', value: s.locale === 'en-US' ? period : s.locale === 'en-CA' ? (hours < 12 ? 'a.m.' : 'p.m.') : period.toLowerCase() });
    }
  }
  if (s.timeZoneName !== undefined) {
    literal(', '.slice(s.hour === undefined ? 0 : 1));
    parts.push({ type: 'timeZoneName', value: s.timeZoneName === 'long' && offset.name === 'UTC' ? 'Coordinated Universal Time' : offset.name });
  }
  return parts;
}

function formatDate(date, locales, options, required, defaults) {
  const time = Date.prototype.getTime.call(date);
  if (Number.isNaN(time)) return 'Invalid Date';
  return textOf(dateParts(time, dateSettings(locales, options, required, defaults)));
}

class DateTimeFormat {
  #settings;
  #bound;

  constructor(locales, options) {
    this.#settings = dateSettings(locales, options);
  }

  get format() {
    this.#bound ??= (date) => textOf(dateParts(date, this.#settings));
    return this.#bound;
  }

  formatToParts(date) {
    return dateParts(date, this.#settings);
  }

  formatRange(from, to) {
    const [a, b] = [this.format(from), this.format(to)];
    return a === b ? a : `${a} – ${b}`;
  }

  resolvedOptions() {
    const { style, cycle, hour12, ...settings } = this.#settings;
    return { calendar: 'gregory', numberingSystem: 'latn', ...settings };
  }
}

// --- the order of texts

const punctuation = '_-,;:!?.\'"()[]{}@*/\\&#%`^+<=>|~$';

// weigh returns what a character weighs at the first level: letters by their
// base, after digits, after punctuation, after space.
function weigh(c) {
  if (/\s/.test(c)) return 1;
  const mark = punctuation.indexOf(c);
  if (mark >= 0) return 10 + mark;
  if (/\d/.test(c)) return 100 + Number(c);
  return 1000 + c.codePointAt(0);
}

const simple = /^[A-Za-z0-9 ]*$/;
const special = { ß: 'ss', æ: 'ae', Æ: 'AE', ø: 'o', Ø: 'O', œ: 'oe', Œ: 'OE', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D' };

function decompose(text) {
  if (simple.test(text)) return [...text].map((c) => ({ base: c.toLowerCase(), mark: '', upper: c !== c.toLowerCase() }));
  const found = [];
  for (const c of text.replace(/[ßæÆøØœŒłŁđĐ]/g, (x) => special[x]).normalize('NFD')) {
    if (/\p{M}/u.test(c) && found.length > 0) found.at(-1).mark += c;
    else found.push({ base: c.toLowerCase(), mark: '', upper: c !== c.toLowerCase() });
  }
  return found;
}

function compare(a, b, options = {}) {
  if (a === b) return 0;
  const { numeric: byNumber = false, sensitivity = 'variant', ignorePunctuation = false, caseFirst = 'false' } = options ?? {};
  let x = decompose(a);
  let y = decompose(b);
  if (ignorePunctuation) {
    x = x.filter(({ base }) => weigh(base) >= 100);
    y = y.filter(({ base }) => weigh(base) >= 100);
  }
  let marks = 0;
  let cases = 0;
  let i = 0;
  let j = 0;
  const digit = (list, at) => at < list.length && list[at].base >= '0' && list[at].base <= '9' && list[at].base.length === 1;
  while (i < x.length && j < y.length) {
    if (byNumber && digit(x, i) && digit(y, j)) {
      let n = '';
      let m = '';
      while (digit(x, i)) n += x[i++].base;
      while (digit(y, j)) m += y[j++].base;
      const p = BigInt(n);
      const q = BigInt(m);
      if (p !== q) return p < q ? -1 : 1;
      continue;
    }
    const one = x[i++];
    const other = y[j++];
    if (one.base !== other.base) {
      const p = weigh(one.base);
      const q = weigh(other.base);
      if (p !== q) return p < q ? -1 : 1;
    }
    if (marks === 0 && one.mark !== other.mark) marks = one.mark < other.mark ? -1 : 1;
    if (cases === 0 && one.upper !== other.upper) cases = one.upper ? 1 : -1;
  }
  if (i < x.length) return 1;
  if (j < y.length) return -1;
  if (caseFirst === 'upper') cases = -cases;
  if (sensitivity === 'base') return 0;
  if (sensitivity === 'accent') return marks;
  if (sensitivity === 'case') return cases;
  return marks || cases;
}

class Collator {
  #options;
  #locale;
  #bound;

  constructor(locales, options = {}) {
    this.#locale = localeOf(locales);
    this.#options = options;
  }

  get compare() {
    this.#bound ??= (a, b) => compare(`${a}`, `${b}`, this.#options);
    return this.#bound;
  }

  resolvedOptions() {
    return {
      locale: this.#locale, usage: 'sort', sensitivity: 'variant', ignorePunctuation: false, collation: 'default', numeric: false, caseFirst: 'false',
      ...this.#options,
    };
  }
}

// --- words

class PluralRules {
  #ordinal;
  #locale;

  constructor(locales, options = {}) {
    this.#locale = localeOf(locales);
    this.#ordinal = options.type === 'ordinal';
  }

  select(n) {
    n = Number(n);
    if (!this.#ordinal) return n === 1 ? 'one' : 'other';
    if (n % 10 === 1 && n % 100 !== 11) return 'one';
    if (n % 10 === 2 && n % 100 !== 12) return 'two';
    if (n % 10 === 3 && n % 100 !== 13) return 'few';
    return 'other';
  }

  resolvedOptions() {
    return { locale: this.#locale, type: this.#ordinal ? 'ordinal' : 'cardinal' };
  }
}

class ListFormat {
  #style;
  #type;

  constructor(locales, { style = 'long', type = 'conjunction' } = {}) {
    localeOf(locales);
    this.#style = style;
    this.#type = type;
  }

  format(list) {
    const items = [...list];
    const word = this.#type === 'unit' ? '' : this.#type === 'disjunction' ? 'or' : this.#style === 'long' ? 'and' : this.#style === 'short' ? '&' : '';
    if (items.length < 2) return items.join('');
    if (word === '') return items.join(this.#style === 'narrow' && this.#type === 'unit' ? ' ' : ', ');
    if (items.length === 2) return `${items[0]} ${word} ${items[1]}`;
    return `${items.slice(0, -1).join(', ')}, ${word} ${items.at(-1)}`;
  }
}

class RelativeTimeFormat {
  #auto;

  constructor(locales, { numeric: kind = 'always' } = {}) {
    localeOf(locales);
    this.#auto = kind === 'auto';
  }

  format(value, unit) {
    value = Number(value);
    const one = `${unit}`.replace(/s$/, '');
    if (!['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'].includes(one)) {
      throw new RangeError(`Invalid unit argument for format() '${unit}'`);
    }
    if (this.#auto) {
      const day = { '-1': 'yesterday', 0: 'today', 1: 'tomorrow' };
      if (one === 'day' && value in day) return day[value];
      if (one === 'second' && value === 0) return 'now';
      if (value === 0) return `this ${one}`;
      if (Math.abs(value) === 1 && !['second', 'minute', 'hour'].includes(one)) return value < 0 ? `last ${one}` : `next ${one}`;
    }
    const size = Math.abs(value);
    const text = `${formatNumber(size)} ${one}${size === 1 ? '' : 's'}`;
    return value < 0 || Object.is(value, -0) ? `${text} ago` : `in ${text}`;
  }
}

class Segmenter {
  #granularity;

  constructor(locales, { granularity = 'grapheme' } = {}) {
    localeOf(locales);
    this.#granularity = granularity;
  }

  segment(input) {
    const pattern = {
      grapheme: /\r\n|\p{RI}\p{RI}|\p{Emoji}(?:\p{EMod}|\ufe0f\u20e3?|[\u{e0020}-\u{e007e}]+\u{e007f})?(?:\u200d\p{Emoji}(?:\p{EMod}|\ufe0f)?)*\p{M}*|[\s\S]\p{M}*/gu,
      word: /[\p{L}\p{N}_]+(?:['’.][\p{L}\p{N}_]+)*|\s+|[\s\S]/gu,
      sentence: /[^.!?]+[.!?]*\s*|[.!?]+\s*/gu,
    }[this.#granularity];
    const isWord = this.#granularity === 'word';
    return {
      * [Symbol.iterator]() {
        for (const m of input.matchAll(pattern)) {
          const found = { segment: m[0], index: m.index, input };
          if (isWord) found.isWordLike = /[\p{L}\p{N}]/u.test(m[0]);
          yield found;
        }
      },
    };
  }
}

class DisplayNames {
  constructor() {
    throw unavailable('Intl.DisplayNames is not available in a sandbox: the names of languages and regions are not part of it');
  }
}

const Intl = { NumberFormat, DateTimeFormat, Collator, PluralRules, ListFormat, RelativeTimeFormat, Segmenter, DisplayNames };
for (const name of Object.keys(Intl)) {
  // They may be called without new.
  const Class = Intl[name];
  Intl[name] = new Proxy(Class, { apply: (target, self, args) => new Class(...args) });
  Class.supportedLocalesOf = (locales) => (Array.isArray(locales) ? locales : [locales]).map(localeOf);
  Object.defineProperty(Class.prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
}
Intl.getCanonicalLocales = (locales) => (locales === undefined ? [] : Array.isArray(locales) ? locales : [locales]).map(localeOf);
Intl.supportedValuesOf = (key) => {
  if (key === 'timeZone') return Object.keys(zones).sort();
  if (key === 'currency') return Object.keys(symbols).sort();
  if (key === 'unit') return Object.keys(units).sort();
  return [];
};
for (const name of Object.keys(Intl)) Object.defineProperty(Intl, name, { enumerable: false });
Object.defineProperty(Intl, Symbol.toStringTag, { value: 'Intl', configurable: true });

module.exports = { Intl, formatNumber, formatDate, compare };
});
