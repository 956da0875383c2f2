(function () {
  "use strict";

  function text(value) {
    if (value === null || value === undefined) return "not finite";
    if (Number.isInteger(value) && Math.abs(value) < 1e6) return value.toLocaleString("en");
    var size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(Number(value.toPrecision(4)));
  }

  function scaled(axis, value) {
    var low = axis[0], high = axis[1];
    if (axis[2]) { low = Math.log(low); high = Math.log(high); value = Math.log(value); }
    return (value - low) / (high - low);
  }

  function setUp(figure) {
    var source = figure.querySelector('script[type="application/json"]');
    var plot = figure.querySelector(".plot");
    var data = JSON.parse(source.textContent);
    var hidden = new Set();
    var tip = document.createElement("div");
    var cursor = document.createElement("div");
    tip.className = "tip";
    cursor.className = "cursor";
    tip.hidden = cursor.hidden = true;
    tip.setAttribute("role", "status");
    plot.append(cursor, tip);
    plot.tabIndex = 0;
    plot.setAttribute("role", "group");
    plot.setAttribute("aria-label", "Values of the chart: move with the arrow keys");

    figure.querySelectorAll(".legend li").forEach(function (item) {
      var button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-pressed", "true");
      button.append.apply(button, Array.from(item.childNodes));
      item.append(button);
      button.addEventListener("click", function () {
        var key = item.dataset.for, off = !hidden.has(key);
        if (off) hidden.add(key); else hidden.delete(key);
        button.setAttribute("aria-pressed", String(!off));
        figure.querySelectorAll('g[data-series="' + key + '"]').forEach(function (group) {
          group.classList.toggle("off", off);
        });
        hide();
      });
    });

    function drawing() {
      return Array.from(plot.querySelectorAll(".drawing")).find(function (one) { return one.offsetParent !== null; });
    }

    function hide() { tip.hidden = cursor.hidden = true; }

    function show(lines, x, y, frame, ratio) {
      tip.textContent = "";
      lines.forEach(function (line) {
        var row = document.createElement("div");
        row.textContent = line;
        tip.append(row);
      });
      tip.hidden = cursor.hidden = false;
      cursor.style.left = x * ratio + "px";
      cursor.style.top = frame.box[1] * ratio + "px";
      cursor.style.height = (frame.box[3] - frame.box[1]) * ratio + "px";
      var width = tip.offsetWidth, room = plot.clientWidth;
      var left = x * ratio + 12;
      if (left + width > room) left = Math.max(0, x * ratio - width - 12);
      tip.style.left = left + "px";
      tip.style.top = Math.max(0, y * ratio - tip.offsetHeight - 8) + "px";
    }

    function cell(part, down, frame, ratio) {
      var grid = data.grid, columns = grid.steps.length, rows = grid.rows.length;
      var column = Math.min(columns - 1, Math.max(0, Math.floor(part * columns)));
      var row = Math.min(rows - 1, Math.max(0, Math.floor(down * rows)));
      var x = frame.box[0] + (column + 0.5) / columns * (frame.box[2] - frame.box[0]);
      var y = frame.box[1] + (row + 0.5) / rows * (frame.box[3] - frame.box[1]);
      show([grid.rows[row], "step " + text(grid.steps[column]) + ": " + text(grid.values[row][column])], x, y, frame, ratio);
      return { column: column, row: row };
    }

    function nearest(part, down, frame, ratio) {
      var best = null;
      var lines = data.series.filter(function (one) { return !hidden.has(one.key); });
      lines.forEach(function (one) {
        one.points.forEach(function (point, number) {
          var across = scaled(frame.x, point[0]) - part;
          var up = point[1] === null ? 0 : 1 - scaled(frame.y, point[1]) - down;
          var cloud = !data.lines;
          var far = Math.abs(across) + (cloud ? Math.abs(up) : 0);
          if (best === null || far < best.far) best = { far: far, one: one, number: number, point: point };
        });
      });
      if (best === null) return hide();
      var at = best.point[0];
      var said = [data.x + " " + text(at)];
      if (data.lines) {
        lines.forEach(function (one) {
          var close = one.points.reduce(function (a, b) { return Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a; });
          said.push((lines.length > 1 || data.series.length > 1 ? one.label + ": " : "") + text(close[1]));
        });
      } else {
        said = [best.one.label, data.x + " " + text(at)];
        if (data.y) said.push(data.y + " " + text(best.point[1]));
        if (best.one.texts[best.number]) said.push(best.one.texts[best.number]);
      }
      var x = frame.box[0] + Math.min(1, Math.max(0, scaled(frame.x, at))) * (frame.box[2] - frame.box[0]);
      show(said, x, frame.box[1] + down * (frame.box[3] - frame.box[1]), frame, ratio);
    }

    var place = { part: 0.5, down: 0.3 };
    function point(part, down) {
      place = { part: part, down: down };
      var one = drawing();
      if (!one) return;
      var frame = data[one.dataset.frame];
      var ratio = one.clientWidth / frame.width;
      (data.grid ? cell : nearest)(part, down, frame, ratio);
    }

    plot.addEventListener("pointermove", function (event) {
      var one = drawing();
      if (!one) return;
      var frame = data[one.dataset.frame], area = one.getBoundingClientRect(), ratio = area.width / frame.width;
      var part = ((event.clientX - area.left) / ratio - frame.box[0]) / (frame.box[2] - frame.box[0]);
      var down = ((event.clientY - area.top) / ratio - frame.box[1]) / (frame.box[3] - frame.box[1]);
      if (part < -0.02 || part > 1.02 || down < -0.05 || down > 1.05) return hide();
      point(Math.min(1, Math.max(0, part)), Math.min(1, Math.max(0, down)));
    });
    plot.addEventListener("pointerleave", hide);
    plot.addEventListener("blur", hide);
    plot.addEventListener("keydown", function (event) {
      var step = data.grid ? 1 / data.grid.steps.length : 1 / 50;
      var rise = data.grid ? 1 / data.grid.rows.length : 1 / 20;
      var moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -rise], ArrowDown: [0, rise] };
      if (event.key === "Escape") return hide();
      var move = moves[event.key];
      if (!move) return;
      event.preventDefault();
      point(Math.min(1, Math.max(0, place.part + move[0])), Math.min(1, Math.max(0, place.down + move[1])));
    });
  }

  document.querySelectorAll("figure.chart").forEach(setUp);

  // On paper nothing can be unfolded: what the text refers to is, for as long as it is printed.
  var unfolded = [];
  window.addEventListener("beforeprint", function () {
    unfolded = Array.from(document.querySelectorAll("details.printed:not([open])"));
    unfolded.forEach(function (one) { one.open = true; });
  });
  window.addEventListener("afterprint", function () {
    unfolded.forEach(function (one) { one.open = false; });
  });
})();
