// A page of memory with none before and none behind it: who reads a byte too many ends there.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <span>

namespace steer::test {

class GuardedPage {
  public:
    GuardedPage() {
        void* const all = ::mmap(nullptr, 3 * size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (all == MAP_FAILED) std::abort();
        all_ = static_cast<std::uint8_t*>(all);
        if (::mprotect(all_ + size_, size_, PROT_READ | PROT_WRITE) != 0) std::abort();
    }
    ~GuardedPage() { ::munmap(all_, 3 * size_); }
    GuardedPage(const GuardedPage&) = delete;
    GuardedPage& operator=(const GuardedPage&) = delete;

    [[nodiscard]] std::span<std::uint8_t> bytes() const { return {all_ + size_, size_}; }

  private:
    const std::size_t size_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    std::uint8_t* all_ = nullptr;
};

}  // namespace steer::test
