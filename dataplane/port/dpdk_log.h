// Captures DPDK's log while this object lives. So its last line can be part of an Error's sentence.
// One object at a time, at set-up; afterwards DPDK logs to standard error again.
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

    // The last line; "" if DPDK logged nothing.
    [[nodiscard]] std::string last_line();
    // " (LAST LINE)" to append to a sentence; "" if DPDK logged nothing.
    [[nodiscard]] std::string in_brackets();

  private:
    char* text_ = nullptr;
    std::size_t size_ = 0;
    std::FILE* stream_;
};

}  // namespace steer
