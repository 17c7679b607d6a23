// The terminal of `steerctl top`, by ncurses: draws lines, reads keys. One at a time.
//
// The destructor gives the terminal back as it was. Signals are the caller's: a read ends early when one came.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "top_view.h"

namespace steerctl {

class TopScreen {
  public:
    // Takes the terminal of standard input and output. `trouble` says why not.
    TopScreen(bool has_colors, std::string& trouble);
    ~TopScreen();
    TopScreen(const TopScreen&) = delete;
    TopScreen& operator=(const TopScreen&) = delete;

    [[nodiscard]] static std::size_t width();
    [[nodiscard]] static std::size_t height();
    // Writes only what differs from the last time.
    void show(const std::vector<TopLine>& lines) const;
    // Waits for a key, at most 100 ms. `number`: of TopKey::page.
    static TopKey read(std::size_t& number);

  private:
    void* screen_ = nullptr;  // ncurses' SCREEN
    bool has_colors_ = false;
};

}  // namespace steerctl
