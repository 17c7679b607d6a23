#include "routeros/password_input.h"

#include <termios.h>
#include <unistd.h>

#include <iostream>

namespace steer::routeros {
namespace {

// The terminal does not show what is typed while this exists.
class HiddenInput {
  public:
    explicit HiddenInput(std::ostream& screen) : screen_(screen) {
        is_terminal_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        if (!is_terminal_) return;
        termios silent = before_;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ~HiddenInput() {
        if (!is_terminal_) return;
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        screen_ << std::endl;
    }
    HiddenInput(const HiddenInput&) = delete;
    HiddenInput& operator=(const HiddenInput&) = delete;

  private:
    std::ostream& screen_;
    termios before_{};
    bool is_terminal_ = false;
};

}  // namespace

std::optional<std::string> read_hidden_line(std::ostream& screen) {
    const HiddenInput hidden(screen);
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
}

}  // namespace steer::routeros
