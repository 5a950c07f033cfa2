// The timeline: what the boxes, the words and the part of the strip that is shown leave of it.
const strip = document.getElementById('strip');
if (strip) {
  const causes = [...document.querySelectorAll('.cause')];
  const rows = causes.map(cause => [...cause.querySelectorAll('tr')]);
  const find = document.getElementById('find'), count = document.getElementById('count'), ticks = document.getElementById('ticks');
  const boxes = [...document.querySelectorAll('input[data-group]')];
  const end = Number(strip.dataset.end), height = strip.viewBox.baseVal.height;
  let low = 0, high = end;

  function filter() {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const groups = new Set(boxes.filter(box => box.checked).map(box => box.dataset.group));
    let shown = 0, all = 0;
    causes.forEach((cause, number) => {
      let here = 0;
      for (const row of rows[number]) {
        const t = Number(row.dataset.t), text = row.textContent.toLowerCase();
        row.hidden = !(groups.has(row.dataset.group) && t >= low && t <= high && words.every(word => text.includes(word)));
        here += !row.hidden;
      }
      cause.hidden = here === 0;
      cause.querySelector('.count').textContent = here;
      if (words.length) cause.open = here > 0;
      shown += here, all += rows[number].length;
    });
    count.textContent = `${shown} / ${all}`;
  }

  const two = number => String(Math.floor(number)).padStart(2, '0');
  function clock(t) {
    if (end < 3600) return String(Number(t.toFixed(2)));
    const rest = `${two(t / 60 % 60)}:${two(t % 60)}`;
    return t < 86400 ? `${Math.floor(t / 3600)}:${rest}` : `${Math.floor(t / 86400)}d ${two(t / 3600 % 24)}:${rest}`;
  }

  function zoom(from, to) {
    const width = Math.min(Math.max(to - from, 0.01), end);
    low = Math.min(Math.max(from, 0), end - width);
    high = low + width;
    strip.setAttribute('viewBox', `${low} 0 ${width} ${height}`);
    const steps = [1, 2, 5].flatMap(step => [-2, -1, 0, 1].map(power => step * 10 ** power))
      .filter(step => end < 3600 || step <= 30)
      .concat([30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 2592000, 7776000]).sort((a, b) => a - b);
    const step = steps.find(step => width / step <= 9) || width / 5;
    ticks.replaceChildren();
    for (let number = Math.ceil(low / step); number * step <= high; number++) {
      const label = ticks.appendChild(document.createElement('span'));
      label.style.left = `${(number * step - low) / width * 100}%`;
      label.textContent = clock(number * step);
    }
    filter();
  }

  const at = event => {
    const box = strip.getBoundingClientRect();
    return low + (high - low) * Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
  };
  const about = (middle, factor) => zoom(middle - (middle - low) * factor, middle + (high - middle) * factor);
  const closer = () => about((low + high) / 2, 0.5), wider = () => about((low + high) / 2, 2), all = () => zoom(0, end);

  strip.addEventListener('wheel', event => { event.preventDefault(); about(at(event), event.deltaY < 0 ? 0.8 : 1.25); }, {passive: false});
  strip.addEventListener('dblclick', all);
  let drag = null, from = 0;
  strip.addEventListener('pointerdown', event => {
    from = at(event);
    drag = strip.appendChild(document.createElementNS('http://www.w3.org/2000/svg', 'rect'));
    drag.classList.add('drag');
    drag.setAttribute('height', height);
    strip.setPointerCapture(event.pointerId);
  });
  strip.addEventListener('pointermove', event => {
    if (!drag) return;
    drag.setAttribute('x', Math.min(from, at(event)));
    drag.setAttribute('width', Math.abs(at(event) - from));
  });
  strip.addEventListener('pointerup', event => {
    if (!drag) return;
    drag.remove();
    drag = null;
    const to = at(event);
    if (Math.abs(to - from) > (high - low) / 100) zoom(Math.min(from, to), Math.max(from, to));
  });
  strip.addEventListener('keydown', event => {
    const move = (high - low) / 4;
    const keys = {
      '+': closer, '=': closer, '-': wider, '0': all,
      ArrowLeft: () => zoom(low - move, high - move), ArrowRight: () => zoom(low + move, high + move),
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });
  const zooms = {in: closer, out: wider, all};
  document.querySelectorAll('button[data-zoom]').forEach(button => button.addEventListener('click', zooms[button.dataset.zoom]));
  document.querySelectorAll('button[data-fold]').forEach(button =>
    button.addEventListener('click', () => causes.forEach(cause => { cause.open = button.dataset.fold === 'open'; })));
  document.querySelectorAll('.when').forEach(link => link.addEventListener('click', () => {
    all();
    document.querySelector(link.getAttribute('href'))?.setAttribute('open', '');
  }));
  find.addEventListener('input', filter);
  boxes.forEach(box => box.addEventListener('change', filter));
  zoom(0, end);
}
