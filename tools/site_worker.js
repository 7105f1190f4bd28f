// Browsers start no worker from a disk: there the search runs in a frame that nobody sees.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      const frame = (this.frame = document.createElement("iframe"));
      frame.hidden = true;
      frame.srcdoc = "<!doctype html>";
      this.inner = new Promise((ready) => {
        frame.onload = () => {
          const inner = frame.contentWindow;
          inner.postMessage = (data) => this.onmessage?.(new MessageEvent("message", { data }));
          const script = inner.document.createElement("script");
          script.src = url;
          script.onload = () => ready(inner);
          script.onerror = (event) => this.onerror?.(event);
          inner.document.head.append(script);
        };
      });
      document.body.append(frame);
    }
    postMessage(data) {
      this.inner.then((inner) => inner.onmessage({ data }));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
