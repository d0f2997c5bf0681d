"use strict";
// Plays packed skeletons on a canvas: drag to turn, wheel or two fingers to come closer.
(() => {
  const holder = document.getElementById("motion");
  if (!holder) return;
  const motion = JSON.parse(holder.textContent);
  const [frameCount, people, joints] = motion.shape;
  const bytes = Uint8Array.from(atob(motion.places), (letter) => letter.charCodeAt(0));
  const packed = new DataView(bytes.buffer);
  const ABSENT = -32768;

  /** Place [x, y, z] of a joint in metres, y up, z towards the camera; null where absent. */
  function place(frame, person, joint) {
    const start = (((frame * people + person) * joints) + joint) * 6;
    const x = packed.getInt16(start, true);
    if (x === ABSENT) return null;
    return [x, packed.getInt16(start + 2, true), packed.getInt16(start + 4, true)]
      .map((value) => value * motion.scale);
  }

  const canvas = document.getElementById("view");
  const context = canvas.getContext("2d");
  const scrubber = document.getElementById("scrubber");
  const clock = document.getElementById("clock");
  const playButton = document.getElementById("play");
  const speed = document.getElementById("speed");
  const follow = document.getElementById("follow");
  const plots = [...document.querySelectorAll(".plot .area")];

  // Size of what is shown: of a body, and of the way it goes.
  const pelvises = [];
  let reach = 1;
  for (let frame = 0; frame < frameCount; frame += Math.max(1, Math.floor(frameCount / 200))) {
    for (let person = 0; person < people; person += 1) {
      const pelvis = place(frame, person, 0);
      if (pelvis) pelvises.push(pelvis);
    }
  }
  const sorted = (axis) => pelvises.map((each) => each[axis]).sort((a, b) => a - b);
  const middle = [0, 1, 2].map((axis) => sorted(axis)[pelvises.length >> 1] ?? 0);
  for (const axis of [0, 2]) {
    const values = sorted(axis);
    if (values.length) {
      const wide = values[Math.floor(values.length * 0.97)] - values[Math.floor(values.length * 0.03)];
      reach = Math.max(reach, 1 + wide / 2);
    }
  }
  follow.checked = people === 1 && reach > 1.6;

  const start = { yaw: 0.6, pitch: 0.2 };
  let { yaw, pitch } = start;
  let distance = 0;
  let current = 0;
  let playing = false;
  let startedAt = 0;
  let startedFrom = 0;
  let target = middle.slice();

  function home() {
    // Feet hang lower under the pelvis than heads rise above it: room for both, and raised arms.
    distance = 3.8 * (follow.checked ? 1 : Math.max(1, 0.62 * Math.min(reach, 20)));
  }

  function targetNow() {
    if (!follow.checked) return middle;
    const here = [];
    for (let person = 0; person < people; person += 1) {
      const pelvis = place(current, person, 0);
      if (pelvis) here.push(pelvis);
    }
    if (!here.length) return target;
    return [0, 1, 2].map((axis) => here.reduce((sum, each) => sum + each[axis], 0) / here.length);
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = "#1c1f25";
    context.fillRect(0, 0, width, height);
    target = targetNow();
    const cosYaw = Math.cos(yaw);
    const sinYaw = Math.sin(yaw);
    const cosPitch = Math.cos(pitch);
    const sinPitch = Math.sin(pitch);
    const zoom = Math.min(width, height * 1.4) * 1.15;

    /** [x, y, depth] on the canvas; null behind the viewer. */
    const project = ([x, y, z]) => {
      const [dx, dy, dz] = [x - target[0], y - target[1], z - target[2]];
      const across = dx * cosYaw - dz * sinYaw;
      const towards = dx * sinYaw + dz * cosYaw;
      const up = dy * cosPitch - towards * sinPitch;
      const depth = distance - (dy * sinPitch + towards * cosPitch);
      if (depth < 0.1) return null;
      return [width / 2 + (zoom * across) / depth, height / 2 - (zoom * up) / depth, depth];
    };
    const line = (from, to, colour, thickness) => {
      if (!from || !to) return;
      context.strokeStyle = colour;
      context.lineWidth = thickness;
      context.beginPath();
      context.moveTo(from[0], from[1]);
      context.lineTo(to[0], to[1]);
      context.stroke();
    };

    context.lineCap = "round";
    const cell = reach > 6 ? 1 : 0.5;
    const half = Math.ceil(Math.min(reach + 1, 12) / cell) * cell;
    const corner = [0, 2].map((axis) => Math.round(target[axis] / cell) * cell);
    for (let step = -half; step <= half + 1e-6; step += cell) {
      const [x, z, y] = [corner[0] + step, corner[1] + step, motion.floor];
      line(project([x, y, corner[1] - half]), project([x, y, corner[1] + half]), "#343a45", 1);
      line(project([corner[0] - half, y, z]), project([corner[0] + half, y, z]), "#343a45", 1);
    }

    const limbs = [];
    const names = [];
    for (let person = 0; person < people; person += 1) {
      const points = Array.from({ length: joints }, (_, joint) => {
        const where = place(current, person, joint);
        return where && project(where);
      });
      for (const [from, to, side] of motion.bones) {
        if (points[from] && points[to]) {
          limbs.push([points[from][2] + points[to][2], points[from], points[to], person, side]);
        }
      }
      const seen = points.filter(Boolean);
      if (people > 1 && seen.length) {
        names.push([person, seen.reduce((top, each) => (each[1] < top[1] ? each : top))]);
      }
    }
    limbs.sort((a, b) => b[0] - a[0]);
    for (const [depth, from, to, person, side] of limbs) {
      const right = side === "right";
      const colour = motion.colours[person].map((part) => Math.round(right ? part + (255 - part) * 0.62 : part));
      const thickness = Math.max(1.5, (zoom * 0.045) / (depth / 2)) * (right ? 0.62 : 1);
      line(from, to, "#0c0d10", thickness + 3);
      line(from, to, `rgb(${colour})`, thickness);
    }
    context.font = "13px system-ui, sans-serif";
    context.textAlign = "center";
    for (const [person, top] of names) {
      context.fillStyle = `rgb(${motion.colours[person]})`;
      context.fillText(String(motion.ids[person]), top[0], top[1] - 10);
    }
    context.textAlign = "left";
    context.fillStyle = "#9aa2b0";
    const floor = motion.hasFloor ? "floor estimated" : "no floor known";
    context.fillText(`estimated · left limbs thick, right thin and light · grid ${cell} m, ${floor}`, 12, height - 12, width - 24);
  }

  function show(frame) {
    current = Math.min(frameCount - 1, Math.max(0, frame));
    scrubber.value = String(current);
    clock.textContent = motion.times
      ? `${motion.times[current].toFixed(2)} s`
      : `photo ${motion.frames[current]}`;
    scrubber.setAttribute("aria-valuetext", clock.textContent);
    for (const area of plots) {
      const mark = area.querySelector(".now");
      const box = area.dataset;
      const share = (motion.times[current] - box.first) / (box.last - box.first);
      mark.style.display = "block";
      mark.style.left = `${100 * (Number(box.left) + share * (box.right - box.left))}%`;
      mark.style.top = `${100 * (1 - box.top)}%`;
      mark.style.bottom = `${100 * box.bottom}%`;
    }
    draw();
  }

  /** Number among those kept of the frame nearest to a time or to a number of the recording. */
  function nearest(values, wanted) {
    let best = 0;
    values.forEach((value, at) => {
      if (Math.abs(value - wanted) < Math.abs(values[best] - wanted)) best = at;
    });
    return best;
  }

  function tick(now) {
    if (!playing) return;
    const seconds = motion.times[startedFrom] + ((now - startedAt) / 1000) * Number(speed.value);
    let frame = current;
    while (frame + 1 < frameCount && motion.times[frame + 1] <= seconds) frame += 1;
    if (frame !== current) show(frame);
    if (frame >= frameCount - 1) play(false);
    else requestAnimationFrame(tick);
  }

  function play(wanted) {
    playing = wanted && Boolean(motion.times) && frameCount > 1;
    playButton.textContent = playing ? "Pause" : "Play";
    if (!playing) return;
    if (current >= frameCount - 1) show(0);
    startedFrom = current;
    startedAt = performance.now();
    requestAnimationFrame(tick);
  }

  function jump(frame) {
    play(false);
    show(frame);
  }

  scrubber.max = String(frameCount - 1);
  scrubber.addEventListener("input", () => jump(Number(scrubber.value)));
  playButton.addEventListener("click", () => play(!playing));
  speed.addEventListener("change", () => { if (playing) play(true); });
  follow.addEventListener("change", () => { home(); draw(); });
  if (!motion.times || frameCount < 2) {
    for (const each of [playButton, speed.parentElement, follow.parentElement]) each.hidden = true;
  }
  if (frameCount < 2) scrubber.hidden = true;
  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => {
      [yaw, pitch] = button.dataset.view.split(",").map(Number);
      home();
      draw();
    });
  }
  for (const button of document.querySelectorAll("[data-frame]")) {
    button.addEventListener("click", () => jump(nearest(motion.frames, Number(button.dataset.frame))));
  }
  for (const area of plots) {
    area.addEventListener("click", (event) => {
      const box = area.getBoundingClientRect();
      const { left, right, first, last } = area.dataset;
      const share = ((event.clientX - box.left) / box.width - left) / (right - left);
      jump(nearest(motion.times, Number(first) + share * (last - first)));
    });
  }

  const pointers = new Map();
  let apart = 0;
  const fingers = () => {
    const [a, b] = [...pointers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pointers.size === 2) apart = fingers();
  });
  canvas.addEventListener("pointermove", (event) => {
    const last = pointers.get(event.pointerId);
    if (!last) return;
    const now = { x: event.clientX, y: event.clientY };
    pointers.set(event.pointerId, now);
    if (pointers.size === 1) {
      yaw -= (now.x - last.x) * 0.008;
      pitch = Math.min(1.57, Math.max(-1.57, pitch + (now.y - last.y) * 0.008));
    } else if (pointers.size === 2) {
      const next = fingers();
      closer(apart / Math.max(next, 1));
      apart = next;
    }
    draw();
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => pointers.delete(event.pointerId));
  }
  function closer(factor) {
    distance = Math.min(60, Math.max(0.8, distance * factor));
  }
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    closer(Math.exp(event.deltaY * 0.001));
    draw();
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) jump(current + step);
    else if (event.key === " ") play(!playing);
    else return;
    event.preventDefault();
  });
  window.addEventListener("resize", draw);
  home();
  show(0);
})();
