// Draws the charts in the page's colours, again when the reader switches between light and dark.
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const style = () => getComputedStyle(document.documentElement);

  const isNarrow = () => innerWidth < 640;

  // on a phone the chart needs the room: a long name stands on two lines
  function fitted(value) {
    if (Array.isArray(value)) return value.map(fitted);
    if (!value || typeof value !== "object") return value;
    const copy = Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, fitted(inner)]));
    if (copy.y?.type === "nominal" && copy.y.axis) {
      copy.y.axis.labelExpr = "split(length(datum.label) > 15 ? replace(datum.label, regexp('^(.{5,}?) '), '$1\\n') : datum.label, '\\n')";
    }
    return copy;
  }

  // a text that would lie on an earlier one is left out; its dot says it to who points at it
  function declutter(place) {
    const kept = [];
    for (const text of place.querySelectorAll(".mark-text text")) {
      const box = text.getBoundingClientRect();
      const hides = kept.some((b) => box.left < b.right && b.left < box.right && box.top < b.bottom && b.top < box.bottom);
      if (hides) text.style.display = "none";
      else kept.push(box);
    }
  }

  function config() {
    const colour = (name) => style().getPropertyValue(name).trim();
    const [ink, muted, line] = ["--ink", "--muted", "--line"].map(colour);
    const font = style().fontFamily;
    return {
      background: "transparent",
      font,
      view: { stroke: null },
      text: { fill: ink },
      axis: {
        labelColor: muted, titleColor: muted, gridColor: line, domainColor: line, tickColor: line,
        labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal",
      },
      axisY: { labelColor: ink, labelFontSize: isNarrow() ? 11 : 12.5, labelLimit: isNarrow() ? 150 : 230, labelLineHeight: 12 },
      legend: { labelColor: ink, labelFontSize: 12.5, symbolSize: 90, columnPadding: 14 },
    };
  }

  async function draw() {
    const options = { mode: "vega-lite", renderer: "svg", actions: false, config: config() };
    for (const place of document.querySelectorAll("[data-chart]")) {
      try {
        const chart = structuredClone(charts[Number(place.dataset.chart)]);
        await window.vegaEmbed(place, isNarrow() ? fitted(chart) : chart, options);
        declutter(place);
      } catch (error) {
        place.textContent = "This chart could not be drawn; its numbers are below.";
        console.error(error);
      }
    }
    document.documentElement.dataset.drawn = String(charts.length);
  }

  dark.addEventListener("change", draw);
  if (charts.length) draw();

  // the section being read is marked in the navigation
  const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links.values()) link.removeAttribute("aria-current");
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  for (const section of document.querySelectorAll("main > section[id]")) watcher.observe(section);
})();
