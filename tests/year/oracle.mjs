// The rules once more, in another language and by ICU's time zones: whether a message may go at an instant, judged from
// what this simulation itself did (texts that the carrier got, calls, words of patients), never from the gateway's
// tables. Sources: 47 CFR 64.1200 as the rule book settles it; state rows for the ten states of the simulation.

export const HOUR = 3600e3;
export const DAY = 24 * HOUR;

const health = { basis: 1, capped: true, quiet: true, counted: true };
/** What each class needs and is bound to. basis: 0 none, 1 implied, 2 express, 3 written. */
export const classes = {
  appointment_reminder: health,
  appointment_confirmation: health,
  wellness_checkup: health,
  lab_results: health,
  prescription: health,
  room_ready: health,
  verification: health,
  payment: { ...health, basis: 2 },
  survey: { ...health, basis: 2, solicitation: true },
  promotional: { ...health, basis: 3, solicitation: true },
  conversational_reply: { basis: 0, conversation: true },
  emergency: { basis: 0, counted: true, emergency: true },
};

// [from, to] in hours of the wall clock: Monday to Friday, Saturday, Sunday; null: not at all. closed: holidays too.
const all = [8, 21];
const states = {
  NY: { week: all, sat: all, sun: all },
  FL: { week: [8, 20], sat: [8, 20], sun: [8, 20] },
  CT: { week: [9, 20], sat: [9, 20], sun: [9, 20] },
  PA: { week: all, sat: all, sun: all, closed: true },
  TX: { week: [9, 21], sat: [9, 21], sun: [12, 21] },
  AL: { week: [8, 20], sat: [8, 20], sun: null, closed: true },
  CO: { week: all, sat: all, sun: all },
  UT: { week: all, sat: all, sun: null, closed: true },
  CA: { week: all, sat: all, sun: all },
  WA: { week: [8, 20], sat: [8, 20], sun: [8, 20] },
};

const formats = new Map();

/** The wall clock of a zone. */
export function local(zone, at) {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(zone, format);
  }
  const p = Object.fromEntries(format.formatToParts(at).map((part) => [part.type, Number(part.value)]));
  const day = Date.UTC(p.year, p.month - 1, p.day) / DAY;
  return { ...p, day, minute: p.hour * 60 + p.minute + p.second / 60, weekday: (((day + 4) % 7) + 7) % 7 };
}

const nth = (year, month, weekday, n) => {
  const first = Date.UTC(year, month - 1, 1) / DAY;
  return first + ((weekday - ((first + 4) % 7) + 7) % 7) + 7 * (n - 1);
};

/** Days (since the epoch) on which federal offices are closed: 5 U.S.C. 6103, with observed days. */
function holidays(year) {
  const last = nth(year, 6, 1, 1) - 7; // the Monday before June's first
  const dated = [
    [1, 1],
    [6, 19],
    [7, 4],
    [11, 11],
    [12, 25],
  ].flatMap(([m, d]) => {
    const day = Date.UTC(year, m - 1, d) / DAY;
    const weekday = (day + 4) % 7;
    return weekday === 6 ? [day, day - 1] : weekday === 0 ? [day, day + 1] : [day];
  });
  const next = Date.UTC(year + 1, 0, 1) / DAY;
  if ((next + 4) % 7 === 6) dated.push(next - 1);
  return new Set([
    ...dated,
    nth(year, 1, 1, 3),
    nth(year, 2, 1, 3),
    last,
    nth(year, 9, 1, 1),
    nth(year, 10, 1, 2),
    nth(year, 11, 4, 4),
  ]);
}
const years = new Map();
export function isHoliday(year, day) {
  if (!years.has(year)) years.set(year, holidays(year));
  return years.get(year).has(day);
}

const GUARD = 5; // minutes before closing in which nothing is begun

function hoursOpen(m, at) {
  const cls = classes[m.category];
  if (!cls.quiet) return '';
  for (const zone of m.zones) {
    const l = local(zone, at);
    if (l.minute < Math.max(480, m.practice.open ?? 480)) return 'quiet_hours';
    if (l.minute >= Math.min(1260, m.practice.close ?? 1260) - GUARD) return 'quiet_hours';
    if (!cls.solicitation) continue;
    for (const code of m.states) {
      const row = states[code];
      const hours = l.weekday === 0 ? row.sun : l.weekday === 6 ? row.sat : row.week;
      if (!hours || (row.closed && isHoliday(l.year, l.day))) return 'quiet_day_state';
      if (l.minute < hours[0] * 60 || l.minute >= hours[1] * 60 - GUARD) return 'quiet_hours_state';
    }
  }
  return '';
}

/** Caps over what was sent or called before: by phone and by patient, rolling and by each zone's calendar. */
function capped(m, at) {
  if (!classes[m.category].capped) return '';
  const keys = [m.practice.contacts.filter((c) => c.patient === m.patient)];
  if (!m.person.household) keys.push(m.practice.contacts.filter((c) => c.phone === m.phone));
  for (const sends of keys) {
    const before = sends.filter((c) => c.at <= at && c.at > at - 9 * DAY);
    if (before.some((c) => c.at > at - DAY)) return 'cap_day';
    for (const zone of m.zones) {
      const today = local(zone, at).day;
      if (before.some((c) => local(zone, c.at).day === today)) return 'cap_day';
    }
    if (before.filter((c) => c.at > at - 7 * DAY).length >= 3) return 'cap_week';
    for (const zone of m.zones) {
      const week = (d) => Math.floor((d + 4) / 7);
      const now = week(local(zone, at).day);
      if (before.filter((c) => week(local(zone, c.at).day) === now).length >= 3) return 'cap_week';
    }
  }
  return '';
}

function consented(m, at) {
  const need = classes[m.category].basis;
  if (need === 0) return '';
  const p = m.person;
  if (need === 1 && m.practice.attested && !(p.staleAt <= at)) return '';
  const live = p.consents.filter(
    (c) => c.classes.includes(m.category) && c.at <= at && !(c.endedAt <= at) && !(p.staleAt <= at && c.at <= p.staleAt),
  );
  if (live.some((c) => c.basis >= need)) return '';
  return 'consent';
}

/**
 * What forbids it for good at that instant, or '' when nothing does. The phone's person holds the words of the patient:
 * optedOut (true while a STOP holds), holding (an open review), staleAt, verified.
 */
export function forbidden(m, at) {
  const p = m.person;
  if (p.optedOut) return 'opt_out';
  if (p.alternative) return 'alternative_asked';
  if (m.category === 'conversational_reply' && !(m.answersAt > at - DAY)) return 'conversation_over';
  return consented(m, at);
}

/** '' when it may go at that instant; else why not. */
export function obstacle(m, at) {
  if (m.sendAt > at) return 'send_at_future';
  const never = forbidden(m, at);
  if (never) return never;
  if (m.person.holding) return 'review_pending';
  if (m.phi && !(m.person.verifiedAt > (m.person.staleAt ?? 0))) return 'verification_needed';
  return hoursOpen(m, at) || capped(m, at);
}

/** Whether it could have gone at some minute-step before it ends, if nothing else were sent meanwhile. */
export function couldGo(m, from, until, step = 10 * 60e3) {
  for (let at = from; at < until; at += step) if (!obstacle(m, at)) return at;
  return undefined;
}
