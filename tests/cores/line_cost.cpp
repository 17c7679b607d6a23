// What a line costs that moves between two cores of this machine.
//
//     line_cost [CPU CPU]
//
// The second thread writes some lines, then the first one takes them. It reads them one after the other, each address from the
// line before (`fill`), or all at once (`overlapped`). Or it writes lines that both have (`write`); a store buffer hides a part
// of that. `own` is `fill` with lines that the first thread wrote itself. Prints the median of the rounds, in nanoseconds a
// line. The CPUs must not be hyper-threads of one core.
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

namespace {

constexpr unsigned kLines = 256, kRounds = 2000;

// (Two lines apart: CPUs prefetch lines in pairs.)
struct alignas(128) Line {
    std::uint32_t next = 0;
    std::uint32_t value = 0;
};
using Lines = std::array<Line, kLines>;

void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) {
        std::fprintf(stderr, "line_cost: this machine has no CPU %d for it\n", cpu);
        std::exit(1);
    }
}

void write_all(Lines& lines) {
    for (Line& line : lines)
        ++line.value;
    std::atomic_thread_fence(std::memory_order_seq_cst);
}

std::uint32_t follow(const Lines& lines) {
    std::uint32_t at = 0;
    for (unsigned i = 0; i < kLines; ++i)
        at = lines[at].next;
    return at;
}

std::uint32_t read_all(const Lines& lines) {
    std::uint32_t sum = 0;
    for (const Line& line : lines)
        sum += line.value;
    return sum;
}

class Pair {
  public:
    Pair(int first, int second) : lines_(std::make_unique<Lines>()) {
        // A way through all lines in no order that a CPU predicts.
        std::array<std::uint32_t, kLines> order{};
        std::iota(order.begin(), order.end(), 0U);
        std::shuffle(order.begin(), order.end(), std::mt19937(7));
        for (unsigned i = 0; i < kLines; ++i)
            (*lines_)[order[i]].next = order[(i + 1) % kLines];
        pin(first);
        other_ = std::thread([this, second] {
            pin(second);
            for (unsigned done = 0;;) {
                unsigned wanted;
                while ((wanted = wanted_.load(std::memory_order_acquire)) == done) {
                }
                done = wanted;
                if (done == kStop) return;
                if (reads_) {
                    sink_ = read_all(*lines_);
                } else {
                    write_all(*lines_);
                }
                done_.store(done, std::memory_order_release);
            }
        });
    }
    ~Pair() {
        wanted_.store(kStop, std::memory_order_release);
        other_.join();
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;

    void other_writes() { ask(false); }
    void other_reads() { ask(true); }
    Lines& lines() { return *lines_; }

    // Median of the rounds, a line; `prepare` is not timed.
    template <class Prepare, class Take>
    double ns(Prepare prepare, Take take) {
        std::vector<double> rounds;
        for (unsigned i = 0; i < kRounds; ++i) {
            prepare();
            const auto begin = std::chrono::steady_clock::now();
            take();
            const std::chrono::duration<double, std::nano> took =
                std::chrono::steady_clock::now() - begin;
            rounds.push_back(took.count() / kLines);
        }
        std::nth_element(rounds.begin(), rounds.begin() + kRounds / 2, rounds.end());
        return rounds[kRounds / 2];
    }

  private:
    static constexpr unsigned kStop = ~0U;

    void ask(bool reads) {
        reads_ = reads;
        const unsigned number = ++asked_;
        wanted_.store(number, std::memory_order_release);
        while (done_.load(std::memory_order_acquire) != number) {
        }
    }

    std::unique_ptr<Lines> lines_;
    alignas(128) std::atomic<unsigned> wanted_{0};
    bool reads_ = false;
    alignas(128) std::atomic<unsigned> done_{0};
    alignas(128) volatile std::uint32_t sink_ = 0;
    unsigned asked_ = 0;
    std::thread other_;
};

}  // namespace

int main(int count, char** words) {
    const int first = count == 3 ? std::atoi(words[1]) : 0;
    const int second = count == 3 ? std::atoi(words[2]) : 1;
    Pair pair(first, second);
    Lines& lines = pair.lines();
    volatile std::uint32_t sink = 0;
    const auto follow_all = [&] { sink = follow(lines); };
    const double own = pair.ns([&] { write_all(lines); }, follow_all);
    const double fill = pair.ns([&] { pair.other_writes(); }, follow_all);
    const double overlapped =
        pair.ns([&] { pair.other_writes(); }, [&] { sink = read_all(lines); });
    const double write = pair.ns(
        [&] {
            write_all(lines);
            pair.other_reads();
        },
        [&] { write_all(lines); });
    std::printf("{\"fill\": %.1f, \"overlapped\": %.1f, \"write\": %.1f, \"own\": %.1f}\n", fill,
                overlapped, write, own);
}
