// A graph of lines over time, by Chart.js. It has the colours of the page.

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

// A span of time: points have `start` in seconds since 1970.
export function between(from, to) {
  const iso = (v) => new Date(v * 1000).toISOString();
  const text = (v) => (to - from > 2 * 86400 ? iso(v).slice(5, 10) : iso(v).slice(11, 16));
  return {
    min: () => from, max: () => to, x: (point) => point.start, tick: text,
    title: (v) => `${iso(v).slice(0, 16).replace("T", " ")} UTC`,
  };
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
        chart.data.datasets[i].data = points.map((point) => ({ x: axis.x(point, points), y: one.of(point) }));
      });
      chart.update("none");
    },
    end() {
      scheme.removeEventListener("change", repaint);
      chart.destroy();
    },
  };
}
