// A graph of lines over time, by Chart.js. It has the colours of the page.
import { clock, day, zone } from "/format.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// The last minutes: points have `at` in ms.
export function recent(seconds) {
  return {
    min: () => -seconds, max: () => 0, stepSize: 60,
    x: (point, points) => (point.at - points[points.length - 1].at) / 1000,
    tick: (v) => (v === 0 ? "now" : `${v / 60} min`),
    title: (v) => `${Math.round(-v)} s ago`,
  };
}

// A span of time: points have `start` in seconds since 1970. Its texts are in the browser's time zone.
export function between(from, to) {
  const date = (v) => new Date(v * 1000);
  return {
    min: () => from, max: () => to, x: (point) => point.start,
    tick: (v) => (to - from > 2 * 86400 ? day(date(v)).slice(5) : clock(date(v)).slice(0, 5)),
    title: (v) => `${day(date(v))} ${clock(date(v)).slice(0, 5)}, ${zone}`,
  };
}

// A point for each bucket until now: a bucket that is missing has no query.
export function filled({ from, to, bucket_seconds: size, buckets }, empty) {
  const known = new Map(buckets.map((one) => [one.start, one]));
  const points = [];
  for (let start = from; start < Math.min(to, Date.now() / 1000); start += size) points.push(known.get(start) ?? { ...empty, start });
  return points;
}

// series: [{ title, of: point => number }]; `axis`: of `recent` or `between`. Returns { element, draw(points), end() }.
export function graph(label, series, axis) {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  const element = document.createElement("div");
  element.className = "graph";
  element.append(canvas);
  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets: series.map((one) => ({ label: one.title, data: [], borderWidth: 1.5, pointRadius: 0, tension: 0.2 })) },
    options: {
      animation: false, parsing: false, normalized: true, maintainAspectRatio: false,
      interaction: { mode: "nearest", axis: "x", intersect: false },
      scales: {
        x: { type: "linear", min: axis.min(), max: axis.max(), ticks: { maxTicksLimit: 7, maxRotation: 0, callback: axis.tick, stepSize: axis.stepSize }, grid: { display: false } },
        y: { beginAtZero: true, ticks: { maxTicksLimit: 5 } },
      },
      plugins: {
        legend: { position: "bottom", align: "start", labels: { boxWidth: 12, boxHeight: 2 } },
        tooltip: { callbacks: { title: ([item]) => axis.title(item.parsed.x) } },
      },
    },
  });
  function paint() {
    chart.data.datasets.forEach((set, i) => { set.borderColor = set.backgroundColor = colour(`--series-${i + 1}`); });
    chart.options.color = colour("--text");
    for (const axis of Object.values(chart.options.scales)) {
      axis.ticks.color = colour("--quiet");
      axis.grid.color = colour("--line");
    }
  }
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  const repaint = () => { paint(); chart.update("none"); };
  scheme.addEventListener("change", repaint);
  paint();
  return {
    element,
    draw(points) {
      series.forEach((one, i) => {
        const drawn = points.map((point) => ({ x: axis.x(point, points), y: one.of(point) ?? null }));
        chart.data.datasets[i].data = drawn;
        // A line of one point is not seen.
        chart.data.datasets[i].pointRadius = drawn.filter((point) => point.y !== null).length === 1 ? 3 : 0;
      });
      chart.update("none");
    },
    end() {
      scheme.removeEventListener("change", repaint);
      chart.destroy();
    },
  };
}
