// A graph of lines over the last minutes, by Chart.js. It shares the time axis and the colours of the page.

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// series: [{ title, of: point => number }]; points have `at` in ms. Returns { element, draw(points), end() }.
export function graph(label, series, seconds) {
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
        x: { type: "linear", min: -seconds, max: 0, ticks: { maxTicksLimit: 7, callback: (v) => (v === 0 ? "now" : `${v / 60} min`), stepSize: 60 }, grid: { display: false } },
        y: { beginAtZero: true, ticks: { maxTicksLimit: 5 } },
      },
      plugins: {
        legend: { position: "bottom", align: "start", labels: { boxWidth: 12, boxHeight: 2 } },
        tooltip: { callbacks: { title: ([item]) => `${Math.round(-item.parsed.x)} s ago` } },
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
      const now = points.length ? points[points.length - 1].at : 0;
      series.forEach((one, i) => {
        chart.data.datasets[i].data = points.map((point) => ({ x: (point.at - now) / 1000, y: one.of(point) }));
      });
      chart.update("none");
    },
    end() {
      scheme.removeEventListener("change", repaint);
      chart.destroy();
    },
  };
}
