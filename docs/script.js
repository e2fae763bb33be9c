// What is wider than the page scrolls by keyboard, too: the theme wraps tables when the page is shown.
document$.subscribe(() => {
  document.querySelectorAll('.md-typeset__scrollwrap').forEach((wrap, index) => {
    if (wrap.scrollWidth > wrap.clientWidth) {
      wrap.tabIndex = 0;
      wrap.setAttribute('role', 'region');
      wrap.setAttribute('aria-label', `Table ${index + 1}`);
    }
  });
});
