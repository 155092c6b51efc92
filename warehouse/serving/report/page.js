// Draws the charts in the page's colours, again when the reader switches between light and dark.
(() => {
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const style = () => getComputedStyle(document.documentElement);

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
      // long names are cut on a phone, where the chart needs the room; a touch shows them whole
      axisY: { labelColor: ink, labelFontSize: 12.5, labelLimit: innerWidth < 640 ? 118 : 230 },
      legend: { labelColor: ink, labelFontSize: 12.5, symbolSize: 90, columnPadding: 14 },
    };
  }

  async function draw() {
    const options = { mode: "vega-lite", renderer: "svg", actions: false, config: config() };
    for (const place of document.querySelectorAll("[data-chart]")) {
      try {
        await window.vegaEmbed(place, structuredClone(charts[Number(place.dataset.chart)]), options);
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
