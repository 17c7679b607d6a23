// The memory of steerdns-quic, counted where it is taken: by hooks of ngtcp2 and nghttp3, and by
// charges for our own buffers and for GnuTLS, which has no hooks.
//
// The process has a limit, and each connection has one. A hook that finds no room returns NULL. The
// account of that connection is spent from then on, so all its further hooks return NULL, too, and
// its owner ends it (connection.h). Other connections do not see it.
//
// Bytes are those that the heap uses: malloc_usable_size(), and its head. Cost: a few nanoseconds
// for an allocation; threads meet once for ThreadMemory::kStep bytes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace steer::quic {

// Of all threads. Any thread.
class ProcessMemory {
  public:
    // `reserve`: the part of `most` that clients do not fill; it is for upstreams, and for what one
    // datagram makes a connection take.
    ProcessMemory(std::uint64_t most, std::uint64_t reserve) : most_(most), reserve_(reserve) {}

    // False: there is no room, and nothing was taken.
    bool take(std::uint64_t bytes);
    // The same for what exists already, also above the limit.
    void add(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
    void give(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t most() const { return most_; }
    // What is used above the part of clients, if they took `more`.
    [[nodiscard]] std::uint64_t excess(std::uint64_t more = 0) const {
        const std::uint64_t wanted = used() + more, part = most_ - reserve_;
        return wanted > part ? wanted - part : 0;
    }

  private:
    const std::uint64_t most_, reserve_;
    std::atomic<std::uint64_t> used_{0};
};

// Of one thread, which takes from the process in steps.
class ThreadMemory {
  public:
    static constexpr std::uint64_t kStep = std::uint64_t{64} << 10;

    explicit ThreadMemory(std::shared_ptr<ProcessMemory> process) : process_(std::move(process)) {}
    ~ThreadMemory() { process_->give(granted_); }
    ThreadMemory(const ThreadMemory&) = delete;
    ThreadMemory& operator=(const ThreadMemory&) = delete;

    bool take(std::uint64_t bytes) {
        if (takes_left_ == 0 || (bytes > granted_ - used_ && !grow(bytes))) return false;
        --takes_left_;
        used_ += bytes;
        return true;
    }
    void add(std::uint64_t bytes);
    void give(std::uint64_t bytes) {
        used_ -= bytes;
        if (granted_ - used_ >= 2 * kStep) shrink();
    }

    [[nodiscard]] std::uint64_t used() const { return used_; }
    [[nodiscard]] const ProcessMemory& process() const { return *process_; }
    // For tests: after so many calls, take() finds no room.
    void refuse_after(std::uint64_t takes) { takes_left_ = takes; }

  private:
    bool grow(std::uint64_t bytes);
    void shrink();

    std::shared_ptr<ProcessMemory> process_;
    std::uint64_t granted_ = 0, used_ = 0;
    std::uint64_t takes_left_ = UINT64_MAX;
};

// Of one connection. What it has goes back with it.
class Account {
  public:
    Account(ThreadMemory& thread, std::size_t most) : thread_(thread), most_(most) {}
    ~Account() { thread_.give(bytes_); }
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    // False: it is spent.
    bool take(std::size_t bytes) {
        if (is_spent_ || bytes > most_ - bytes_ || !thread_.take(bytes)) {
            is_spent_ = true;
            return false;
        }
        bytes_ += bytes;
        return true;
    }
    // The same for what exists already.
    void charge(std::size_t bytes);
    void give(std::size_t bytes) {
        bytes_ -= bytes;
        thread_.give(bytes);
    }
    // What a buffer costs now, instead of `before`.
    std::size_t recharge(std::size_t before, std::size_t now) {
        if (now > before) charge(now - before);
        if (now < before) give(before - now);
        return now;
    }

    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    // It asked for more than there is: its connection ends.
    [[nodiscard]] bool is_spent() const { return is_spent_; }

  private:
    ThreadMemory& thread_;
    const std::size_t most_;
    std::size_t bytes_ = 0;
    bool is_spent_ = false;
};

// The heap's bytes for a buffer of `capacity` bytes that we keep.
[[nodiscard]] constexpr std::size_t heap_bytes(std::size_t capacity) {
    constexpr std::size_t kHead = 8, kAlign = 16;
    return capacity == 0 ? 0 : (capacity + kHead + kAlign - 1) / kAlign * kAlign;
}

// Of a text; a short one has no block of the heap.
[[nodiscard]] inline std::size_t text_bytes(const std::string& text) {
    static const std::size_t kShort = std::string().capacity();
    return text.capacity() > kShort ? heap_bytes(text.capacity() + 1) : 0;
}
// Of a node of a map: its value, three links and a colour.
template <class Map>
[[nodiscard]] constexpr std::size_t node_bytes() {
    return heap_bytes(sizeof(typename Map::value_type) + 4 * sizeof(void*));
}

// Hooks with the signatures of ngtcp2_mem and nghttp3_mem. `account`: an Account.
void* hook_malloc(std::size_t bytes, void* account);
void hook_free(void* block, void* account);
void* hook_calloc(std::size_t count, std::size_t each, void* account);
void* hook_realloc(void* block, std::size_t bytes, void* account);

// `Hooks`: ngtcp2_mem or nghttp3_mem.
template <class Hooks>
[[nodiscard]] Hooks hooks_of(Account& account) {
    return {&account, hook_malloc, hook_free, hook_calloc, hook_realloc};
}

}  // namespace steer::quic
