// What a week of a practice must come to, told by somebody who knows only what the practice and its patients did: an
// oracle of plans, caps and answers that shares nothing with the gateway. Times are milliseconds of the rule clock.
export const ZONE = 'America/New_York';
export const MINUTE = 60e3;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The steps of the practice's plan. */
export const steps = [
  { name: 'early', before: 'P3D', at: '10:00', days: 3 },
  { name: 'daybefore', before: 'P1D', at: '10:00', days: 1, skip_if_confirmed: true },
  { name: 'today', before: 'PT2H' },
];

const parts = new Intl.DateTimeFormat('en-US', {
  timeZone: ZONE,
  hourCycle: 'h23',
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
});

/** {year, month, day, hour, minute} on the clinic's wall. */
export function wall(at) {
  const o = {};
  for (const { type, value } of parts.formatToParts(at)) if (type !== 'literal') o[type] = Number(value);
  return o;
}

/** The instant of a wall time; the zone's own clock is asked, so that changes of the clock are its matter. */
export function instant(year, month, day, hour, minute = 0) {
  const asUtc = Date.UTC(year, month - 1, day, hour, minute);
  for (const offset of [4, 5]) {
    const at = asUtc + offset * HOUR;
    const w = wall(at);
    if (w.hour === hour && w.minute === minute) return at;
  }
  throw new Error('there is no such time');
}

export const dayOf = (at) => {
  const w = wall(at);
  return w.year * 10000 + w.month * 100 + w.day;
};

/** How a template writes the visit's day and time. */
export function written(at) {
  const show = (o) => new Intl.DateTimeFormat('en-US', { timeZone: ZONE, ...o }).format(at);
  const date = `${show({ weekday: 'short' })}, ${show({ month: 'short' })} ${show({ day: 'numeric' })}`;
  return { date, time: show({ hour: 'numeric', minute: '2-digit', hour12: true }).replace(/\u202f/g, ' ') };
}

function nominal(step, startsAt) {
  if (!step.days) return startsAt - 2 * HOUR;
  const w = wall(startsAt);
  const d = new Date(Date.UTC(w.year, w.month - 1, w.day) - step.days * DAY);
  return instant(d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), 10);
}

/** Whether a text at `at` keeps one a day (24 hours, and the patient's calendar day) and three in seven days. */
function fits(times, at) {
  if (times.some((t) => Math.abs(t - at) < DAY || dayOf(t) === dayOf(at))) return false;
  const all = [...times, at].sort((a, b) => a - b);
  return all.every((t, i) => i < 3 || t - all[i - 3] >= 7 * DAY);
}

/** A visit as the practice and its patient know it. */
export class Visit {
  constructor(ref, patient, phone, startsAt) {
    Object.assign(this, { ref, patient, phone, startsAt, status: 'booked', answer: null });
    this.planned = new Map(); // step -> due
    this.dropped = new Map(); // step -> when it would have gone
    this.texts = []; // {step, visitAt, at}
    this.withdrawn = []; // {step, visitAt}
    this.stopped = false;
  }

  /** Booked or moved at `now`. Returns how many steps were dropped. */
  plan(now) {
    this.planned.clear();
    this.dropped.clear();
    const sent = this.texts.map((t) => t.at);
    // the most useful first: a day or more to act, and of these the nearest to the visit
    for (const name of ['daybefore', 'early', 'today']) {
      const step = steps.find((s) => s.name === name);
      if (this.texts.some((t) => t.step === name && t.visitAt === this.startsAt)) continue;
      const due = nominal(step, this.startsAt);
      const wanted = due > now && !(this.status === 'confirmed' && step.skip_if_confirmed);
      if (wanted && fits([...sent, ...this.planned.values()], due)) this.planned.set(name, due);
      else this.dropped.set(name, wanted ? 'cap' : due > now ? 'confirmed' : 'late');
    }
    // one that caps alone leave without any text would be moved by the gateway; the script keeps clear of it
    this.moved = this.planned.size === 0 && [...this.dropped.values()].includes('cap');
    return this.dropped.size;
  }

  withdraw(which = () => true) {
    const gone = [...this.planned.keys()].filter((name) => which(steps.find((s) => s.name === name)));
    for (const name of gone) {
      this.planned.delete(name);
      this.withdrawn.push({ step: name, visitAt: this.startsAt });
    }
    return gone;
  }

  confirm() {
    this.status = 'confirmed';
    return this.withdraw((s) => s.skip_if_confirmed);
  }

  nextDue() {
    return this.stopped ? Infinity : Math.min(Infinity, ...this.planned.values());
  }

  /** What goes at `now`: [step]. */
  due(now) {
    if (this.stopped) return [];
    const names = [...this.planned.entries()].filter(([, at]) => at <= now).map(([name]) => name);
    for (const name of names) {
      this.texts.push({ step: name, visitAt: this.startsAt, at: this.planned.get(name) });
      this.planned.delete(name);
    }
    return names;
  }
}
