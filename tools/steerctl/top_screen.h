// The terminal of `steerctl top`, by ncurses: draws lines, reads keys. Only one object may exist at
// a time.
//
// The destructor restores the terminal. The caller handles signals: one ends a read early.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "top_view.h"

namespace steerctl {

class TopScreen {
  public:
    // Takes over the terminal of standard input and output. Sets `error` if it cannot.
    TopScreen(bool has_colors, std::string& error);
    ~TopScreen();
    TopScreen(const TopScreen&) = delete;
    TopScreen& operator=(const TopScreen&) = delete;

    [[nodiscard]] static std::size_t width();
    [[nodiscard]] static std::size_t height();
    // Writes only the differences from the last call.
    void show(const std::vector<TopLine>& lines) const;
    // Waits at most 100 ms for a key. Sets `number` for TopKey::page.
    static TopKey read(std::size_t& number);

  private:
    void* screen_ = nullptr;  // ncurses' SCREEN
    bool has_colors_ = false;
};

}  // namespace steerctl
