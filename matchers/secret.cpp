#include "matchers/secret.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>

namespace steer {

class Secret::Pages {
  public:
    explicit Pages(std::string_view text) : size_(text.size()) {
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        room_ = (size_ + page - 1) / page * page;
        at_ = ::mmap(nullptr, room_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at_ == MAP_FAILED) throw std::bad_alloc();
        (void)::madvise(at_, room_, MADV_DONTDUMP);
        (void)::mlock(at_, room_);  // a limit may be too small
        std::memcpy(at_, text.data(), size_);
    }
    ~Pages() {
        ::explicit_bzero(at_, room_);
        ::munmap(at_, room_);
    }
    Pages(const Pages&) = delete;
    Pages& operator=(const Pages&) = delete;

    [[nodiscard]] std::string_view text() const { return {static_cast<const char*>(at_), size_}; }

  private:
    void* at_ = nullptr;
    std::size_t size_, room_ = 0;
};

Secret::Secret(std::string_view text) {
    if (!text.empty()) pages_ = std::make_shared<const Pages>(text);
}

std::string_view Secret::text() const {
    return pages_ == nullptr ? std::string_view{} : pages_->text();
}

}  // namespace steer
