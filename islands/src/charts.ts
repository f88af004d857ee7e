/**
 * Charts: `<div class="sf-chart" data-chart="line|bar|funnel"><script type="application/json">...</script></div>`.
 *
 * line, bar: {"labels": ["10:00\\n24 Nov", ...], "series": [{"name": "Opens", "values": [1, 2, null]}], "stacked": false,
 * "horizontal": false}; times are written by the server, in the account's time zone and not the browser's. funnel: {"steps": [{"name": "Sent", "value": 100}]}. `unit: "percent"` writes 12 %.
 */
import { BarChart, FunnelChart, LineChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

echarts.use([BarChart, FunnelChart, LineChart, AriaComponent, GridComponent, LegendComponent, TooltipComponent, SVGRenderer]);

interface Series { name: string; values: (number | null)[]; colour?: string }
interface Step { name: string; value: number }
export interface ChartData {
  labels?: string[];
  series?: Series[];
  steps?: Step[];
  stacked?: boolean;
  horizontal?: boolean;
  unit?: "percent";
}

const COLOURS = ["--sf-accent", "--sf-blue", "--sf-amber", "--sf-violet", "--sf-red", "--sf-grey"];
const drawn = new Map<HTMLElement, echarts.ECharts>();
const resizes = new ResizeObserver((entries) => {
  for (const entry of entries) drawn.get(entry.target as HTMLElement)?.resize();
});

export function drawAll(root: HTMLElement | Document = document): void {
  const found = [...root.querySelectorAll<HTMLElement>("[data-chart]")];
  if (root instanceof HTMLElement && root.matches("[data-chart]")) found.push(root);
  for (const element of found) draw(element);
}

document.addEventListener("sf:theme", () => [...drawn.keys()].forEach(draw));
document.addEventListener("htmx:afterSwap", forgetRemoved);

function forgetRemoved(): void {
  for (const [element, chart] of drawn) {
    if (element.isConnected) continue;
    chart.dispose();
    resizes.unobserve(element);
    drawn.delete(element);
  }
}

const parsed = new WeakMap<HTMLElement, ChartData>();

function draw(element: HTMLElement): void {
  const data = parsed.get(element) ?? (JSON.parse(element.querySelector("script")?.textContent ?? "{}") as ChartData);
  parsed.set(element, data);
  drawn.get(element)?.dispose();
  const chart = echarts.init(element, null, { renderer: "svg" });
  drawn.set(element, chart);
  resizes.observe(element);
  chart.setOption(element.dataset.chart === "funnel" ? funnel(data) : axes(data, element.dataset.chart === "bar" ? "bar" : "line"));
}

/** A colour token as the browser computes it now: light-dark() included. */
function colour(token: string): string {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

function number(value: unknown, unit?: string): string {
  if (value === null || value === undefined) return "–";
  const text = Number(value).toLocaleString("en", { maximumFractionDigits: 1 }).replaceAll(",", "\u00a0");
  return unit === "percent" ? `${text}\u202f%` : text;
}

function shared(): echarts.EChartsCoreOption {
  const font = getComputedStyle(document.body).fontFamily;
  return {
    animationDuration: 350,
    aria: { enabled: true },
    color: COLOURS.map(colour),
    textStyle: { fontFamily: font, fontSize: 12, color: colour("--sf-ink-2") },
    tooltip: {
      trigger: "axis",
      backgroundColor: colour("--sf-raised"),
      borderColor: colour("--sf-line-strong"),
      padding: [8, 12],
      textStyle: { color: colour("--sf-ink"), fontSize: 12, fontFamily: font },
      axisPointer: { type: "line", lineStyle: { color: colour("--sf-line-strong") } },
    },
  };
}

function axes(data: ChartData, type: "line" | "bar"): echarts.EChartsCoreOption {
  const series = data.series ?? [];
  const labels = data.labels ?? [];
  const muted = { color: colour("--sf-ink-3"), hideOverlap: true };
  const line = { lineStyle: { color: colour("--sf-line") } };
  const category = {
    type: "category", data: labels, inverse: data.horizontal, boundaryGap: type === "bar",
    axisLine: line, axisTick: { show: false }, axisLabel: { ...muted, lineHeight: 15 },
  };
  const value = {
    type: "value",
    minInterval: data.unit ? undefined : 1,
    splitNumber: 4,
    splitLine: line,
    axisLabel: { ...muted, formatter: (v: number) => number(v, data.unit) },
  };
  const base = shared();
  return {
    ...base,
    tooltip: { ...(base.tooltip as object), valueFormatter: (v: unknown) => number(v, data.unit) },
    grid: { left: 4, right: 12, top: series.length > 1 ? 36 : 12, bottom: 4, outerBoundsMode: "same" },
    legend: series.length > 1 ? { left: 0, top: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: colour("--sf-ink-2") } } : undefined,
    xAxis: data.horizontal ? value : category,
    yAxis: data.horizontal ? category : value,
    series: series.map((one, index) => ({
      name: one.name,
      type,
      stack: data.stacked ? "all" : undefined,
      data: one.values,
      color: one.colour ? colour(`--sf-${one.colour}`) : undefined,
      showSymbol: false,
      smooth: type === "line" ? 0.25 : undefined,
      smoothMonotone: "x",
      lineStyle: { width: 2 },
      areaStyle: type === "line" && (index === 0 || data.stacked) ? { opacity: 0.1 } : undefined,
      barMaxWidth: 28,
      itemStyle: type === "bar" ? { borderRadius: data.horizontal ? [0, 4, 4, 0] : [4, 4, 0, 0] } : undefined,
      emphasis: { focus: "series" },
    })),
  };
}

function funnel(data: ChartData): echarts.EChartsCoreOption {
  const base = shared();
  return {
    ...base,
    tooltip: { ...(base.tooltip as object), trigger: "item", valueFormatter: (v: unknown) => number(v, data.unit) },
    series: [{
      type: "funnel",
      sort: "none",
      gap: 3,
      left: 0, right: 0, top: 4, bottom: 4,
      minSize: "2%",
      label: { position: "inside", formatter: (p: { name: string; value: number }) => `${p.name}  ${number(p.value)}`, color: colour("--sf-on-accent"), fontWeight: 500 },
      itemStyle: { borderWidth: 0, color: colour("--sf-accent") },
      data: data.steps ?? [],
    }],
  };
}
