'use strict';
// Draws one run. Times are nanoseconds; a position is a time, or where idle time is squeezed, the
// sum of the squeezed gaps before it. Items are bars and marks: the things that can be selected.
const data = JSON.parse(document.getElementById('data').textContent);
const $ = (id) => document.getElementById(id);
const make = (tag, cls, text) => {
  const node = document.createElement(tag);
  if (cls) node.className = cls;
  if (text !== undefined) node.textContent = text;
  return node;
};
const KINDS = {fault: 'Faults', client: 'Clients', request: 'Requests', lease: 'Leases', process: 'Processes', daemon: 'Daemon'};
const SIGNS = {X: ['\u2715', 'struck', 'cancel struck'], T: ['T', 'term', 'SIGTERM'], K: ['K', 'kill', 'SIGKILL'],
  s: ['s', '', 'signal'], '!': ['!', 'struck', 'gave up'], h: ['h', '', 'half-close'], x: ['x', '', 'client closed'],
  c: ['c', '', 'daemon closed'], '?': ['?', 'kill', 'torn reply'],
  d: ['d', '', 'drains'], U: ['U', 'kill', 'unsettled'], D: ['D', 'struck', 'defect']};
const FILLS = {'.': 'waits', '~': 'unwinds', '%': 'in quarantine'};
const events = data.events;
const items = [];  // {lane, node, from, to, event, end, bar}
const lanes = data.lanes.map((lane) => ({...lane, items: [], notes: []}));
const violations = data.laws.flatMap((law) => law.violations.map((v, i) => ({...v, law: law.law, number: i + 1})));
const first = events.length ? events[0][0] : 0;
const last = Math.max(events.length ? events[events.length - 1][0] : 0, ...violations.map((v) => v.at), first + 1000);

// ---- time and position
let squeezed = false;
const moments = [...new Set([first, ...events.map((e) => e[0]), last])].sort((a, b) => a - b);
const sums = [0];
for (let i = 1; i < moments.length; ++i) sums.push(sums[i - 1] + Math.log2(2 + (moments[i] - moments[i - 1]) / 1e3));
function between(from, to, x) {  // piecewise linear; beyond the ends as if squeezed by nothing
  let low = 0, high = from.length - 1;
  if (x <= from[0]) return to[0] + (x - from[0]);
  if (x >= from[high]) return to[high] + (x - from[high]);
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (from[mid] <= x) low = mid; else high = mid;
  }
  return to[low] + (to[high] - to[low]) * (x - from[low]) / (from[high] - from[low]);
}
const position = (t) => squeezed ? between(moments, sums, t) : t;
const timeAt = (p) => squeezed ? between(sums, moments, p) : p;
let view = [0, 1];
function show(t, digits = 3) {
  return (t / 1e6).toLocaleString('en', {minimumFractionDigits: digits, maximumFractionDigits: digits}) + ' ms';
}
const ms = (t) => show(t, 3);
function fit() {
  const from = position(first), to = position(last);
  // Room behind the last moment for how it ended, such as "deadline_exceeded".
  const room = Math.min(0.4, Math.max(0.1, 140 / Math.max(1, $('axis').clientWidth - 140)));
  view = [from - (to - from) * 0.015, to + (to - from) * room];
  draw();
}
function zoom(factor, at) {
  const [from, to] = view, whole = position(last) - position(first);
  if (at === undefined) at = chosen ? position(chosen.from) : from;
  if (at <= from || at >= to) at = (from + to) / 2;  // what is out of sight would stay there
  const width = Math.min(whole * 1.5, Math.max(squeezed ? 0.5 : 200, (to - from) * factor));
  const part = (at - from) / (to - from);
  view = [at - part * width, at + (1 - part) * width];
  draw();
}
function pan(part) {
  const half = (view[1] - view[0]) / 2;
  const middle = Math.max(position(first), Math.min(position(last), view[0] + half + 2 * half * part));
  view = [middle - half, middle + half];
  draw();
}
const inView = (item) => position(item.to) >= view[0] && position(item.from) <= view[1];
function reveal(from, to, close) {  // moves, and zooms where that is asked for or needed
  const a = position(from), b = position(to), width = view[1] - view[0];
  const tight = close || b - a > width;
  if (!tight && a >= view[0] && b <= view[1]) return;
  const half = tight ? Math.max((b - a) * 0.6, (position(last) - position(first)) / 1e6, 1e-3) : width / 2;
  view = [(a + b) / 2 - half, (a + b) / 2 + half];
  draw();
}

// ---- words
function fields(index) {  // [[name, value]] of an event
  const [, kind, subject, object, value, text] = events[index], of = data.kinds[kind], all = [];
  if (of.subject && subject) all.push([of.subject, subject]);
  if (of.object && object) all.push([of.object, object]);
  if (of.value && (value || of.value === 'exit')) all.push(value < 0 && of.value === 'exit' ? ['signal', -value] : [of.value, value]);
  if (of.text && text) all.push([of.text, text]);
  return all;
}
const nameOf = (index) => data.kinds[events[index][1]].name;
const sentence = (index) => nameOf(index) + ' \u00b7 ' + fields(index).map(([k, v]) => (k.length < 12 && typeof v === 'number' ? k + ' ' : '') + v).join(' \u00b7 ');
function facts(item) {
  const rows = [];
  if (item.bar) {
    rows.push(['from', ms(item.from)]);
    rows.push(['to', item.end < 0 ? 'goes on' : ms(item.to)], ['lasted', ms(item.to - item.from)]);
    if (item.event >= 0) rows.push(['began', sentence(item.event)]);
    if (item.end >= 0) rows.push(['ended', sentence(item.end)]);
    for (const mark of item.lane.items) {
      if (!mark.bar && mark.from >= item.from && mark.from <= item.to) rows.push([mark.what, ms(mark.from) + (mark.note ? ' \u00b7 ' + mark.note : '')]);
    }
  } else {
    rows.push(['at', ms(item.from)], ['what', item.what + (item.note ? ' \u00b7 ' + item.note : '')]);
    if (item.event >= 0) rows.push(['event', sentence(item.event)]);
  }
  return rows;
}
const stateOf = (item) => item.bar ? FILLS[item.fill] || '' : item.what;

// ---- the page's parts
function addItem(lane, node, item) {
  Object.assign(item, {lane, node});
  node.setAttribute('aria-label', `${lane.label}, ${stateOf(item) ? stateOf(item) + ', ' : ''}` +
    (item.bar ? `from ${ms(item.from)} to ${item.end < 0 ? 'the end' : ms(item.to)}` : `at ${ms(item.from)}`));
  node.onclick = () => { if (!dragged) select(item); };
  node.tabIndex = -1;
  node.onfocus = () => {
    stopAt(item);
    if (!inView(item)) reveal(item.from, item.from);
    describe(item);
  };
  node.onmouseenter = (e) => tip(item, e);
  node.onmouseleave = () => tip(null);
  lane.items.push(item);
  items.push(item);
  lane.track.append(node);
}
function addLane(lane) {
  lane.row = make('div', 'row lane');
  const label = make('div', 'label', lane.label);
  label.title = lane.label;
  lane.track = make('div', 'track');
  lane.row.append(label, lane.track);
  const own = lane.bars.map(([from, to, fill, event, end]) => ({from, to, fill, event, end, bar: true}));
  for (const [at, sign, event, note] of lane.marks) {
    if (sign === 'K' && lane.kind === 'daemon') own.push({from: at, to: at, sign, event, end: -1, note: ''});
    else if (SIGNS[sign]) own.push({from: at, to: at, sign, event, end: -1, note});
    if (note && sign !== 'X') lane.notes.push({at, node: make('span', sign === ']' && !/^signal|gave|deadline|unavail|cancel|tool|internal|died/.test(note) ? 'note' : 'note bad', note)});
  }
  own.sort((a, b) => a.from - b.from || b.bar - a.bar);
  for (const item of own) {
    const sign = SIGNS[item.sign];
    const node = make('button', item.bar ? 'bar' : 'mark ' + sign[1], item.bar ? '' : sign[0]);
    if (item.bar) {
      const state = FILLS[item.fill] || '';
      if (state) node.classList.add(state.replace(' ', '-'));
      if (item.end < 0) node.classList.add('open');
      item.text = lane.kind === 'client' && item.event >= 0 ? events[item.event][5] : item.fill === '~' ? '' : state;
    } else {
      item.what = lane.kind === 'daemon' && item.sign === 'K' ? 'killed' : sign[2];
    }
    addItem(lane, node, item);
  }
  for (const note of lane.notes) lane.track.append(note.node);
  return lane.row;
}
function addLanes() {
  for (const [kind, title] of Object.entries(KINDS)) {
    const own = lanes.filter((lane) => lane.kind === kind);
    if (!own.length) continue;
    const part = make('section', 'kind'), head = make('button', '', `${title} (${own.length})`);
    part.dataset.kind = kind;
    part.style.cssText = `--fill: var(--${kind}); --edge: var(--${kind}-edge)`;
    head.setAttribute('aria-expanded', 'true');
    head.onclick = () => {
      head.setAttribute('aria-expanded', String(!part.classList.toggle('shut')));
      draw();
    };
    part.append(head, ...own.map(addLane));
    $('lanes').append(part);
  }
  if (!lanes.length) $('lanes').append(make('p', 'label', 'nothing happened'));
}
function addHead() {
  const run = data.run, pass = violations.length === 0;
  $('name').textContent = run.scenario.split('/').pop().replace(/\.toml$/, '');
  document.title = $('name').textContent + (pass ? '' : ': ' + violations[0].law + ' is broken');
  $('verdict').textContent = pass ? 'all laws hold' : 'broken: ' + [...new Set(violations.map((v) => v.law))].join(', ');
  $('verdict').classList.add(pass ? 'pass' : 'fail');
  $('about').textContent = run.about || '';
  if (run.world !== 'sim') $('axis').previousElementSibling.textContent = 'time';
  const meta = [run.scenario, 'world ' + run.world];
  if (run.seed !== undefined) meta.push('seed ' + run.seed + (run.choices ? ` (${run.choices})` : ''), run.steps + ' steps', run.virtual_ms.toFixed(1) + ' ms of virtual time', 'digest ' + run.digest);
  $('meta').textContent = meta.concat(events.length + ' events').join(' \u00b7 ');
  for (const law of data.laws) {
    const broken = law.violations.length, row = make('li');
    const chip = make(broken ? 'button' : 'span', 'chip ' + (broken ? 'fail' : 'pass'));
    chip.append(make('b', '', law.law), ` ${law.title} ${broken ? '\u2715 ' + broken : '\u2713'}`);
    chip.dataset.law = law.law;
    if (broken) chip.onclick = () => go('law=' + law.law);
    row.append(chip);
    $('laws').append(row);
  }
  violations.forEach((v, i) => {
    const row = make('li'), link = make('button');
    v.node = link;
    link.append(make('b', '', v.law), make('time', '', ms(v.at)), v.message);
    link.onclick = () => go(`law=${v.law}.${v.number}`);
    row.append(link);
    $('broken').append(row);
  });
}

// ---- drawing
let width = 1, waiting = false;
const pixel = (t) => (position(t) - view[0]) / (view[1] - view[0]) * width;
function draw() {
  if (!waiting) requestAnimationFrame(() => { waiting = false; paint(); });
  waiting = true;
}
function line(cls, at, to) {
  const node = make('div', cls);
  node.style.left = pixel(at) + 'px';
  if (to !== undefined) node.style.width = Math.max(2, pixel(to) - pixel(at)) + 'px';
  $('over').append(node);
}
function paintAxis() {
  $('axis').replaceChildren();
  const tick = (t, text) => {
    const node = make('span', 'tick', text);
    node.style.left = pixel(t) + 'px';
    $('axis').append(node);
    line('rule', t);
  };
  if (squeezed) {
    for (let x = 0; x < width - 60; x += 110) {
      const t = timeAt(view[0] + x / width * (view[1] - view[0]));
      if (t >= 0) tick(t, show(t, 1));
    }
    return;
  }
  const rough = (view[1] - view[0]) / Math.max(2, width / 110), power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((f) => f * power >= rough);
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step / 1e6) + 1e-9)));
  for (let t = Math.ceil(Math.max(0, view[0]) / step) * step; t < view[1]; t += step) tick(t, show(t, digits));
}
function paintLane(lane) {
  const starts = [], bars = [];  // of what is in sight
  for (const item of lane.items) {
    const a = pixel(item.from), b = pixel(item.to), style = item.node.style;
    const hidden = (b < -10 || a > width + 10) && item !== stop;  // where Tab stops it must be
    style.display = hidden ? 'none' : '';
    if (hidden) continue;
    const left = Math.max(-10, Math.min(width + 10, a)), size = Math.max(0, Math.min(b, width + 10) - left);
    starts.push(a);
    if (item.bar) bars.push([a, b]);
    style.left = left + 'px';
    if (!item.bar) continue;
    style.width = size + 'px';
    style.paddingLeft = (a < 0 ? 14 : 4) + 'px';
    item.node.classList.toggle('thin', size < 12);
    const text = size > 40 ? item.text : '';
    if (item.node.textContent !== text) item.node.textContent = text;
  }
  for (const [i, note] of lane.notes.entries()) {
    const marked = lane.items.some((item) => !item.bar && Math.abs(pixel(item.from) - pixel(note.at)) < 8);
    const x = pixel(note.at) + (marked ? 12 : 8);
    const after = lane.notes[i + 1] ? pixel(lane.notes[i + 1].at) : width;
    const next = Math.min(width, after, ...starts.filter((s) => s > x - 4));
    const room = next - x - 4;
    note.node.style.display = x < 0 || x > width || room < 24 || bars.some(([a, b]) => a < x && b > x + 2) ? 'none' : '';
    note.node.style.left = x + 'px';
    note.node.style.maxWidth = room + 'px';
  }
}
function paint(all = false) {
  width = $('axis').clientWidth;
  keepStop();
  $('over').replaceChildren();
  paintAxis();
  // Those out of sight are drawn when they are scrolled to.
  const box = $('scroll').getBoundingClientRect(), tops = lanes.map((lane) => topOf(lane.row));
  lanes.filter((lane, i) => all || (tops[i] > box.top - 300 && tops[i] < box.bottom + 300)).forEach(paintLane);
  for (const v of violations) line('moment' + (v === law ? ' chosen' : ''), v.at);
  if (law) {
    const own = law.events.map(itemOf).filter((item) => item && item.bar);
    const from = Math.max(...own.map((item) => item.from)), to = Math.min(...own.map((item) => item.to));
    if (own.length > 1 && to >= from) line('band', from, to);
  } else if (chosen) {
    line('moment chosen', chosen.from);
  }
  Object.assign($('scroll').dataset, {from: (timeAt(view[0]) / 1e6).toFixed(3), to: (timeAt(view[1]) / 1e6).toFixed(3)});
}

// ---- selecting
let chosen = null, law = null;
const itemOf = (event) => items.find((i) => i.event === event && i.bar) || items.find((i) => i.event === event) || items.find((i) => i.end === event);
function describe(item) {
  $('what').replaceChildren();
  $('near').replaceChildren();
  $('detail').classList.toggle('empty', !item && !law);
  if (law && (!item || law.events.map(itemOf).includes(item))) {
    const head = make('h2', '', `${law.law} at ${ms(law.at)}`), list = make('dl');
    for (const event of law.events) {
      const link = make('button', '', `${ms(events[event][0])} \u00b7 ${sentence(event)}`), cell = make('dd');
      link.onclick = () => go('event=' + event);
      cell.append(link);
      list.append(make('dt', '', 'event'), cell);
    }
    $('what').append(head, make('p', '', law.message), list);
  } else if (item) {
    const list = make('dl');
    for (const [name, value] of facts(item)) list.append(make('dt', '', name), make('dd', '', value));
    $('what').append(make('h2', '', item.lane ? item.lane.label + (stateOf(item) ? ' \u00b7 ' + stateOf(item) : '') : nameOf(item.event)), list);
  } else {
    $('what').append(make('p', 'meta', 'Point at a bar, or Tab to one and take the arrows, to see what it was. ? shows the keys.'));
  }
  const at = item ? item.event : law && law.events.length ? law.events[law.events.length - 1] : -1;
  if (at >= 0) nearby(at);
}
function nearby(at) {
  for (let i = Math.max(0, at - 3); i < Math.min(events.length, at + 4); ++i) {
    const row = make('li'), link = make('button', i === at ? 'now' : '');
    link.append(make('time', '', ms(events[i][0])), ' ' + sentence(i));
    link.title = sentence(i);
    link.onclick = () => go('event=' + i);
    row.append(link);
    $('near').append(row);
  }
}
// Each daemon counts requests and connections from 1. `of` makes such a number one of its daemon's, as
// a lane's request is.
function eachOfItsLife(visit) {
  let deaths = 0;
  const of = (number) => deaths * 2 ** 32 + number;
  for (const event of events) {
    const name = data.kinds[event[1]].name;
    visit(name, of, event);
    if (name === 'daemon died') ++deaths;
  }
}
// Lanes of the same requests, and of the clients who made them.
function relate(from, hits) {
  const requests = new Set(from.map((item) => item.lane && item.lane.request).filter(Boolean));
  const connections = new Set(), clients = new Set();
  eachOfItsLife((name, of, [, , subject, object]) => {
    if ((name === 'request begun' || name === 'request joined') && requests.has(of(object))) connections.add(of(subject));
  });
  eachOfItsLife((name, of, [, , subject, , value]) => {
    if (name === 'client sent' && connections.has(of(value))) clients.add(subject);
  });
  const near = new Set(from.map((item) => item.lane)), hit = new Set(hits.map((item) => item.lane));
  for (const lane of lanes) {
    const client = lane.kind === 'client' && lane.items.some((i) => i.event >= 0 && clients.has(events[i.event][2]));
    lane.row.classList.toggle('rel', client || requests.has(lane.request) || near.has(lane));
    lane.row.classList.toggle('hit', hit.has(lane));
  }
  for (const item of items) {
    item.node.classList.toggle('hit', hits.includes(item));
    item.node.classList.toggle('chosen', item === chosen);
  }
  $('lanes').classList.toggle('picked', from.some((item) => item.lane));
  for (const v of violations) v.node.classList.toggle('chosen', v === law);
  if (law) law.node.scrollIntoView({block: 'nearest'});
}
// The time that the two have in common, with some of what was around it.
function revealOverlap(bars) {
  const from = Math.max(law.at, ...bars.map((bar) => bar.from)), to = Math.max(from, Math.min(last, ...bars.map((bar) => bar.to)));
  const all = Math.max(last, ...bars.map((bar) => bar.to)) - Math.min(law.at, ...bars.map((bar) => bar.from));
  const around = Math.max(2 * (to - from), all / 20, 1e6);
  reveal(Math.min(law.at, from) - around, to + around, true);
}
function select(item, violation = null, close = false) {
  chosen = item;
  if (gathered && law !== violation) showOnly(false);
  law = violation;
  const hits = law ? law.events.map(itemOf).filter(Boolean) : [];
  relate(law ? hits : item ? [item] : [], hits);
  if (law) {
    if (close) revealOverlap(hits.filter((hit) => hit.bar));
  } else if (item && !inView(item)) {
    reveal(item.from, item.from);
  }
  const target = hits[hits.length - 1] || item;
  if (target && target.node) {
    const part = target.node.closest('.shut');
    if (part) part.firstChild.click();
    if (hits.length) showTogether(hits.map((hit) => hit.lane.row));
    focusOn(target, {preventScroll: hits.length > 0});
    target.node.scrollIntoView({block: 'nearest'});
  }
  const state = law ? `law=${law.law}.${law.number}` : item && item.event >= 0 ? 'event=' + item.event : '';
  if (location.hash.slice(1) !== state) history.replaceState(null, '', '#' + state);
  describe(item);
  draw();
}
const topOf = (row) => row.getBoundingClientRect().top;
// Lanes that are too far apart are brought together by leaving out what is between them.
let gathered = false;  // for that, until something else is selected
function showTogether(rows) {
  const tops = rows.map(topOf);
  const apart = Math.max(...tops) - Math.min(...tops) > $('scroll').clientHeight - 80;
  if (apart && !$('lanes').classList.contains('only')) {
    showOnly(true);
    gathered = true;
  }
  rows[0].scrollIntoView({block: 'center'});
}
function go(where) {
  const [, name, value, number] = /^(event|law)=([^.]+)(?:\.(\d+))?$/.exec(where) || [];
  if (name === 'law') {
    const found = violations.find((v) => v.law === value && v.number === Number(number || 1));
    if (found) select(null, found, true);
  } else if (name === 'event' && events[value]) {
    const event = Number(value), at = events[event][0];
    const own = itemOf(event);
    if (own && own.end === event) return select({...own, node: own.node, from: at, to: at, bar: false, what: nameOf(event), note: '', event, end: -1});
    select(own || {from: at, to: at, event, end: -1, bar: false, what: nameOf(event), note: ''});
  }
}
function goThere() {  // of a fragment that is none of ours: nowhere
  try {
    go(decodeURIComponent(location.hash.slice(1)));
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
  }
}

// ---- pointer and keys
let dragged = false;
function tip(item, pointer) {
  $('tip').hidden = !item;
  if (!item) return;
  $('tip').replaceChildren(make('b', '', item.lane.label));
  for (const [name, value] of facts(item)) $('tip').append(make('div', '', `${name} ${value}`));
  $('tip').style.left = Math.max(4, Math.min(pointer.clientX + 12, innerWidth - $('tip').offsetWidth - 8)) + 'px';
  const below = pointer.clientY + 16, height = $('tip').offsetHeight;
  $('tip').style.top = (below + height > innerHeight ? pointer.clientY - height - 10 : below) + 'px';
}
function onWheel(e) {
  if (!e.target.closest('.track') || e.shiftKey) return;
  e.preventDefault();
  if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) return pan(e.deltaX / width);
  const part = (e.clientX - $('axis').getBoundingClientRect().left) / width;
  zoom(Math.exp(Math.max(-60, Math.min(60, e.deltaY)) / 250), view[0] + part * (view[1] - view[0]));
}
function onDown(e) {
  if (e.button !== 0 || !e.target.closest('.track')) return;
  let {clientX: x, clientY: y} = e, moved = 0;
  dragged = false;
  const move = (m) => {
    moved += Math.abs(m.clientX - x) + Math.abs(m.clientY - y);
    if (moved < 4) return;
    dragged = true;
    pan((x - m.clientX) / width);
    $('scroll').scrollTop += y - m.clientY;
    [x, y] = [m.clientX, m.clientY];
  };
  addEventListener('pointermove', move);
  const up = () => {  // the click that follows is none
    removeEventListener('pointermove', move);
    setTimeout(() => { dragged = false; });
  };
  addEventListener('pointerup', up, {once: true});
  addEventListener('pointercancel', up, {once: true});
}
const focused = () => items.find((item) => item.node === document.activeElement);
// Tab stops at one bar or mark; the arrows lead from there to all others.
let stop = null;
function stopAt(item) {
  if (stop) stop.node.tabIndex = -1;
  if (item) item.node.tabIndex = 0;
  stop = item;
}
const isShown = (lane) => lane.items.length > 0 && lane.row.offsetParent !== null;
function keepStop() {  // at what is shown
  if (!stop || !isShown(stop.lane)) stopAt((lanes.find(isShown) || {items: [null]}).items[0]);
}
function focusOn(item, options) {
  item.node.style.display = '';  // it may have been out of view
  item.node.focus(options);
}
function upDown(by) {
  const from = focused(), here = topOf(document.activeElement.closest('.lane') || document.activeElement);
  const open = lanes.filter(isShown), beyond = (lane) => (topOf(lane.row) - here) * by > 1;
  const lane = by > 0 ? open.find(beyond) : open.findLast(beyond);
  if (!lane) return;
  const near = (item) => from ? Math.abs(item.from - from.from) : item.from;
  focusOn(lane.items.reduce((best, item) => near(item) < near(best) ? item : best));
}
function along(by) {  // a lane; where there is none, time
  const from = focused();
  if (!from) return pan(0.15 * by);
  const next = from.lane.items[from.lane.items.indexOf(from) + by];
  if (next) focusOn(next);
}
function step(by) {
  const from = chosen ? chosen.event : law && law.events.length ? law.events[0] : -1;
  const to = Math.max(0, Math.min(events.length - 1, from + by));
  go('event=' + to);
}
function showOnly(related) {
  gathered = false;
  $('lanes').classList.toggle('only', related);
  toggle(document.querySelector('[data-do=o]'), related);
  draw();
}
function toggle(button, on) { button.setAttribute('aria-pressed', String(on)); }
const acts = {
  '+': () => zoom(1 / 1.5), '=': () => zoom(1 / 1.5), '-': () => zoom(1.5), 0: fit,
  '[': () => pan(-0.15), ']': () => pan(0.15),
  n: () => step(1), p: () => step(-1),
  v: () => { if (violations.length) { const v = violations[(violations.indexOf(law) + 1) % violations.length]; go(`law=${v.law}.${v.number}`); } },
  z: () => { const item = chosen || focused(); if (law) select(null, law, true); else if (item) reveal(item.from, item.to, true); },
  o: () => showOnly(!$('lanes').classList.contains('only')),
  s: () => {
    const times = view.map(timeAt);
    squeezed = !squeezed;
    toggle(document.querySelector('[data-do=s]'), squeezed);
    if (times[0] <= first && times[1] >= last) return fit();
    view = times.map(position);
    draw();
  },
  Escape: () => { if (document.activeElement) document.activeElement.blur(); select(null); },
  '?': () => $('keys').showModal(),
};
const arrows = {ArrowLeft: () => along(-1), ArrowRight: () => along(1), ArrowUp: () => upDown(-1), ArrowDown: () => upDown(1)};
function onKey(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || $('keys').open) return;
  const act = Object.hasOwn(acts, e.key) ? acts[e.key] : $('scroll').contains(e.target) ? arrows[e.key] : undefined;
  if (!act) return;
  e.preventDefault();
  act();
}

addHead();
addLanes();
for (const button of document.querySelectorAll('[data-do]')) button.onclick = () => acts[button.dataset.do]();
$('keys').onclick = () => $('keys').close();
$('scroll').addEventListener('scroll', draw);
$('scroll').addEventListener('wheel', onWheel, {passive: false});
$('scroll').addEventListener('pointerdown', onDown);
document.addEventListener('keydown', onKey);
new ResizeObserver(draw).observe($('axis'));
addEventListener('beforeprint', () => { document.body.classList.add('paper'); paint(true); });
addEventListener('afterprint', () => { document.body.classList.remove('paper'); draw(); });
addEventListener('hashchange', goThere);
fit();
describe(null);
paint();
goThere();
paint();
