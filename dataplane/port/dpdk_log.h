// Captures DPDK's log while this object lives, so that its last line can be part of an Error's sentence
// instead of a line of its own. One at a time, at set-up; afterwards DPDK logs to standard error again.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

namespace steer {

class DpdkLog {
  public:
    DpdkLog();
    ~DpdkLog();
    DpdkLog(const DpdkLog&) = delete;
    DpdkLog& operator=(const DpdkLog&) = delete;

    // "" if it logged nothing.
    [[nodiscard]] std::string last_line();
    // " (LAST LINE)", or "": to be added to a sentence.
    [[nodiscard]] std::string in_brackets();

  private:
    char* text_ = nullptr;
    std::size_t size_ = 0;
    std::FILE* stream_;
};

}  // namespace steer
