#include "control/program/build/pattern_process.h"

#include <fcntl.h>
#include <hs/hs.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>

#include "control/host/process/call_filters.h"
#include "control/host/process/file_rules.h"
#include "control/host/process/rights.h"
#include "dataplane/port/descriptor.h"

namespace steer::build {
namespace {

using matchers::Checked;
using matchers::Compiled;
using matchers::Expression;
using matchers::PatternBudget;

constexpr std::size_t kMaxKnown = 200'000;
constexpr int kPollEveryMs = 20;           // whether to stop, and at the CPU time
constexpr std::uint32_t kShareOfOne = 20;  // of the time: the most that one expression may take
constexpr std::uint32_t kMinOfOneMs = 500;

// ---- what the two processes say to each other; both are this program, on one machine

struct RequestHead {
    std::uint32_t compiles = 0;  // 1: all together; 0: each alone
    std::uint32_t count = 0;
    std::uint64_t memory = 0;
    std::uint64_t cpu_s = 0;
};
struct ExpressionHead {
    std::uint32_t flags = 0, id = 0, size = 0;
};
struct RecordHead {
    std::uint32_t kind = 0;    // a letter
    std::uint32_t number = 0;  // of an expression
    std::uint64_t cpu_us = 0;
    std::uint64_t size = 0;
};
constexpr char kBegun = 'S';     // an expression is tried
constexpr char kGood = 'G';      // and is good
constexpr char kRefused = 'R';   // or not: why
constexpr char kOneIsBad = 'O';  // of all together: why
constexpr char kAllAreBad = 'A';
constexpr char kDatabase = 'B';
constexpr std::uint32_t kNobody = UINT32_MAX;

bool write_all(int fd, const void* data, std::size_t size) {
    const auto* at = static_cast<const char*>(data);
    while (size > 0) {
        const auto done = ::write(fd, at, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        at += done;
        size -= static_cast<std::size_t>(done);
    }
    return true;
}

std::uint64_t us(const timespec& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec) / 1'000;
}
std::uint64_t own_cpu_us() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return us(now);
}
// 0: it cannot be known.
std::uint64_t cpu_us_of(pid_t pid) {
    clockid_t clock{};
    timespec now{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &now) != 0) return 0;
    return us(now);
}

// ---- the compile process

bool say(char kind, std::uint32_t number, std::string_view bytes) {
    const RecordHead head{static_cast<std::uint32_t>(kind), number, own_cpu_us(), bytes.size()};
    return write_all(STDOUT_FILENO, &head, sizeof head) &&
           write_all(STDOUT_FILENO, bytes.data(), bytes.size());
}

std::string read_input() {
    std::string all;
    std::array<char, 65536> part;
    for (;;) {
        const auto got = ::read(STDIN_FILENO, part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return all;
        all.append(part.data(), static_cast<std::size_t>(got));
    }
}

template <class T>
bool take(std::string_view& bytes, T& out) {
    if (bytes.size() < sizeof out) return false;
    std::memcpy(&out, bytes.data(), sizeof out);
    bytes.remove_prefix(sizeof out);
    return true;
}

std::optional<std::vector<Expression>> read_expressions(std::string_view bytes,
                                                        std::uint32_t count) {
    std::vector<Expression> out;
    for (std::uint32_t i = 0; i < count; ++i) {
        ExpressionHead head;
        if (!take(bytes, head) || head.size > bytes.size()) return std::nullopt;
        out.push_back({std::string(bytes.substr(0, head.size)), head.flags, head.id});
        bytes.remove_prefix(head.size);
    }
    return out;
}

void limit(int what, std::uint64_t most) {
    const rlimit limits{most, most};
    ::setrlimit(static_cast<__rlimit_resource_t>(what), &limits);
}

bool check_each(const std::vector<Expression>& expressions) {
    for (std::uint32_t i = 0; i < expressions.size(); ++i) {
        if (!say(kBegun, i, {})) return false;
        const Checked checked = matchers::HereCompiler::check_one(expressions[i]);
        if (!say(checked.why ? kRefused : kGood, i, checked.why.value_or(std::string{})))
            return false;
    }
    return true;
}

bool compile_all(const std::vector<Expression>& expressions) {
    const Compiled made = matchers::HereCompiler().compile(expressions);
    if (made.database == nullptr) {
        const auto which = static_cast<std::uint32_t>(made.which.value_or(0));
        return say(made.which ? kOneIsBad : kAllAreBad, which, made.why);
    }
    char* bytes = nullptr;
    std::size_t size = 0;
    if (hs_serialize_database(made.database.get(), &bytes, &size) != HS_SUCCESS)
        return say(kAllAreBad, 0, "out of memory");
    const bool sent = say(kDatabase, 0, {bytes, size});
    std::free(bytes);  // NOLINT: Hyperscan gives it from malloc()
    return sent;
}

}  // namespace

int run_pattern_process() {
    constexpr int kNice = 10;
    keep_only_capabilities({});
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, "patterns");
    ::setpriority(PRIO_PROCESS, 0, kNice);
    const std::string input = read_input();
    std::string_view rest = input;
    RequestHead head;
    if (!take(rest, head)) return EXIT_FAILURE;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, head.cpu_s);
#ifndef __SANITIZE_THREAD__  // its own memory counts as data
    limit(RLIMIT_DATA, head.memory);
#endif
    (void)FileRules().enforce();
    (void)filter_this_process(ThreadKind::patterns);
    const auto expressions = read_expressions(rest, head.count);
    if (!expressions) return EXIT_FAILURE;
    return (head.compiles != 0 ? compile_all(*expressions) : check_each(*expressions))
               ? EXIT_SUCCESS
               : EXIT_FAILURE;
}

// ---- its parent

struct PatternProcess::Job {
    std::span<const Expression> expressions;
    bool compiles = false;
    PatternBudget budget;
    std::uint64_t used_us = 0;             // of the budget, by processes before
    std::function<std::string()> state{};  // for PatternProgress
    std::uint64_t reported_ms = 0;         // when that was reported, or the job began
};

struct PatternProcess::End {
    enum class By : std::uint8_t { itself, time, crash, stop, no_start } by = By::itself;
    std::string why;                // of no_start
    std::uint32_t doing = kNobody;  // the expression that was tried
    std::uint64_t doing_us = 0;     // for how long
};

namespace {

// The request in a file without a name, at its begin.
Descriptor request_of(std::span<const Expression> expressions, bool compiles,
                      const PatternBudget& budget) {
    Descriptor file(::memfd_create("patterns", MFD_CLOEXEC));
    if (file.get() < 0) return file;
    std::string bytes;
    const auto append = [&bytes](const auto& head) {
        bytes.append(reinterpret_cast<const char*>(&head), sizeof head);
    };
    append(RequestHead{compiles ? 1U : 0U, static_cast<std::uint32_t>(expressions.size()),
                       budget.memory, budget.time_ms / 1000 + 2});
    for (const Expression& e : expressions) {
        append(ExpressionHead{e.flags, e.id, static_cast<std::uint32_t>(e.text.size())});
        bytes += e.text;
    }
    if (!write_all(file.get(), bytes.data(), bytes.size()) || ::lseek(file.get(), 0, SEEK_SET) != 0)
        return Descriptor(-1);
    return file;
}

// Takes the first record off `bytes`; no value: it is incomplete.
std::optional<std::pair<RecordHead, std::string_view>> next_record(std::string_view& bytes) {
    RecordHead head;
    if (bytes.size() < sizeof head) return std::nullopt;
    std::memcpy(&head, bytes.data(), sizeof head);
    if (bytes.size() - sizeof head < head.size) return std::nullopt;
    const std::string_view content = bytes.substr(sizeof head, head.size);
    bytes.remove_prefix(sizeof head + head.size);
    return std::pair(head, content);
}

std::string seconds(std::uint64_t ms) {
    return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}
std::uint64_t ms_of_one(const PatternBudget& budget) {
    return std::min(budget.time_ms, std::max(budget.time_ms / kShareOfOne, kMinOfOneMs));
}

}  // namespace

PatternProcess::End PatternProcess::run(Job& job, const Records& records) {
    End end;
    if (stopped_.load(std::memory_order_relaxed)) {
        end.by = End::By::stop;
        return end;
    }
    const Descriptor request = request_of(job.expressions, job.compiles, job.budget);
    std::array<int, 2> pipe{-1, -1};
    const bool has_pipe = request.get() >= 0 && ::pipe2(pipe.data(), O_CLOEXEC) == 0;
    const Descriptor out(pipe[0]);
    Descriptor in(pipe[1]);
    const pid_t pid =
        has_pipe
            ? starter_.start(kProgram, {{request.get(), STDIN_FILENO}, {in.get(), STDOUT_FILENO}})
            : 0;
    if (pid == 0) {
        end.by = End::By::no_start;
        end.why = std::strerror(errno);
        return end;
    }
    in = Descriptor(-1);
    const std::uint64_t time_us = std::uint64_t{job.budget.time_ms} * 1000;
    const std::uint64_t one_us = job.compiles ? time_us : ms_of_one(job.budget) * 1000;
    std::string got;
    std::size_t handled = 0;
    std::uint64_t begun_us = 0;
    std::vector<char> part(1 << 16);
    pollfd wait{out.get(), POLLIN, 0};
    for (;;) {
        if (::poll(&wait, 1, kPollEveryMs) > 0) {
            const auto size = ::read(out.get(), part.data(), part.size());
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) break;
            got.append(part.data(), static_cast<std::size_t>(size));
            std::string_view rest = std::string_view(got).substr(handled);
            while (const auto record = next_record(rest)) {
                const auto& [head, content] = *record;
                const bool begins = head.kind == static_cast<std::uint32_t>(kBegun);
                end.doing = begins ? head.number : kNobody;
                if (begins) begun_us = head.cpu_us;
                records(static_cast<char>(head.kind), head.number, head.cpu_us - begun_us, content);
            }
            handled = got.size() - rest.size();
            if (handled > got.size() / 2 && handled > part.size()) {
                got.erase(0, handled);
                handled = 0;
            }
        }
        if (stopped_.load(std::memory_order_relaxed)) {
            end.by = End::By::stop;
            break;
        }
        tell_progress(job);
        const std::uint64_t cpu_us = cpu_us_of(pid);
        const bool one_too_long = end.doing != kNobody && cpu_us > begun_us + one_us;
        if (job.used_us + cpu_us > time_us || one_too_long) {
            end.by = End::By::time;
            break;
        }
    }
    const std::uint64_t cpu_us = cpu_us_of(pid);
    if (end.by != End::By::itself) ::kill(pid, SIGKILL);
    int status = 0;
    rusage usage{};
    while (::wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    const auto spent_us =
        static_cast<std::uint64_t>((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
                                   usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
    job.used_us += std::max(cpu_us, spent_us);
    end.doing_us = std::max(cpu_us, spent_us) - std::min(begun_us, std::max(cpu_us, spent_us));
    if (end.by == End::By::itself && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        const bool out_of_time = WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU;
        end.by = out_of_time ? End::By::time : End::By::crash;
    }
    return end;
}

void PatternProcess::tell_progress(Job& job) const {
    if (!progress_.tell) return;
    const std::uint64_t now_ms = progress_.now_ms();
    if (job.reported_ms == 0) job.reported_ms = now_ms;
    if (now_ms < job.reported_ms + kTellEveryMs) return;
    job.reported_ms = now_ms;
    progress_.tell(job.state());
}

PatternBudget PatternProcess::budget() const {
    const std::scoped_lock lock(mutex_);
    return budget_;
}

void PatternProcess::set_budget(const PatternBudget& budget) {
    const std::scoped_lock lock(mutex_);
    const bool is_other = budget.time_ms != budget_.time_ms || budget.memory != budget_.memory;
    budget_ = budget;
    // What was refused may fit into another budget.
    if (is_other) std::erase_if(known_, [](const auto& k) { return k.second.why.has_value(); });
}

void PatternProcess::set_images(const std::string& folder) {
    const std::scoped_lock lock(mutex_);
    if (folder != read_images_) images_ = folder;
}

void PatternProcess::read_kept() {
    std::string folder;
    {
        const std::scoped_lock lock(mutex_);
        folder = std::exchange(images_, {});
        if (folder.empty() || !kept_) return;
        read_images_ = folder;
    }
    const auto kept = kept_(folder);
    const std::scoped_lock lock(mutex_);
    for (const Expression& expression : kept)
        known_.insert_or_assign({expression.text, expression.flags}, Checked{});
}

std::vector<Checked> PatternProcess::check(std::span<const Expression> expressions) {
    if (expressions.size() >= kLeastToRead) read_kept();
    std::vector<Checked> out(expressions.size());
    std::vector<std::size_t> places;  // of what is not known
    Job job{{}, false, {}, 0};
    {
        const std::scoped_lock lock(mutex_);
        job.budget = budget_;
        for (std::size_t i = 0; i < expressions.size(); ++i) {
            const auto known = known_.find({expressions[i].text, expressions[i].flags});
            if (known != known_.end()) {
                out[i] = known->second;
            } else {
                places.push_back(i);
            }
        }
    }
    std::vector<Expression> fresh;
    fresh.reserve(places.size());
    for (const std::size_t place : places)
        fresh.push_back(expressions[place]);
    std::size_t done = 0;  // of `fresh`
    const auto refuse_rest = [&](const std::string& why) {
        for (; done < fresh.size(); ++done) {
            out[places[done]].why = why;
            out[places[done]].over_budget = true;
        }
    };
    const auto remember = [&](std::size_t i) {
        const std::scoped_lock lock(mutex_);
        if (known_.size() >= kMaxKnown) known_.clear();
        known_.insert_or_assign({fresh[i].text, fresh[i].flags}, out[places[i]]);
    };
    job.state = [&] {
        return "checking patterns: " + std::to_string(done) + " of " +
               std::to_string(fresh.size()) + " are done";
    };
    while (done < fresh.size()) {
        const std::size_t first = done;
        job.expressions = std::span(fresh).subspan(first);
        const End end = run(job, [&](char kind, std::uint32_t number, std::uint64_t cpu_us,
                                     std::string_view bytes) {
            if ((kind != kGood && kind != kRefused) || first + number != done ||
                done >= fresh.size())
                return;
            Checked& checked = out[places[done]];
            checked.cost_us = cpu_us;
            if (kind == kRefused) checked.why = std::string(bytes);
            remember(done++);
        });
        const bool is_over = job.used_us >= std::uint64_t{job.budget.time_ms} * 1000;
        switch (end.by) {
            case End::By::itself:
                if (done < fresh.size()) refuse_rest("the compile process ended too early");
                break;
            case End::By::no_start:
                refuse_rest("the compile process cannot be started (" + end.why + ")");
                break;
            case End::By::stop:
                refuse_rest("steerdnsd is stopping");
                break;
            case End::By::time:
            case End::By::crash:
                // The expression in work when the total time ended is not blamed.
                if (is_over && end.doing_us < ms_of_one(job.budget) * 1000 / 2) break;
                if (done < fresh.size() && end.doing != kNobody) {
                    Checked& checked = out[places[done]];
                    checked.cost_us = end.doing_us;
                    checked.why =
                        end.by == End::By::time
                            ? "it takes more than " + seconds(end.doing_us / 1000) +
                                  " of CPU time to compile; 'pattern_time' of 'control' is " +
                                  seconds(job.budget.time_ms) +
                                  " for all patterns, a twentieth of it for one"
                            : "the compile process ran out of memory: it needs more than "
                              "'pattern_memory' of 'control' allows";
                    checked.over_budget = true;
                    if (end.by == End::By::crash || !is_over) remember(done);
                    ++done;
                } else if (done == first) {
                    refuse_rest("the compile process ended too early");
                }
                break;
        }
        if (is_over)
            refuse_rest("not tried: earlier patterns used the whole 'pattern_time' of " +
                        seconds(job.budget.time_ms));
    }
    return out;
}

Compiled PatternProcess::compile(std::span<const Expression> expressions) {
    Compiled out;
    bool is_damaged = false;
    Job job{expressions, true, budget(), 0};
    job.state = [&] {
        return "compiling " + std::to_string(expressions.size()) + " patterns together";
    };
    const End end = run(job, [&](char kind, std::uint32_t number, std::uint64_t /*cpu_us*/,
                                 std::string_view bytes) {
        hs_database_t* database = nullptr;
        switch (kind) {
            case kDatabase:
                is_damaged =
                    hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS;
                out.database.reset(database);
                return;
            case kOneIsBad:
                if (number < expressions.size()) out.which = number;
                [[fallthrough]];
            case kAllAreBad:
                out.why = std::string(bytes);
                return;
            default:
                return;
        }
    });
    if (end.by == End::By::itself && !is_damaged && (out.database != nullptr || !out.why.empty()))
        return out;
    out.database.reset();
    out.over_budget = end.by == End::By::time || end.by == End::By::crash;
    switch (end.by) {
        case End::By::time:
            out.why = "they take more than " + seconds(job.budget.time_ms) +
                      " of CPU time ('pattern_time' of 'control')";
            break;
        case End::By::crash:
            out.why = "they need more than " + std::to_string(job.budget.memory >> 20) +
                      " MiB ('pattern_memory' of 'control')";
            break;
        case End::By::stop:
            out.why = "steerdnsd is stopping";
            break;
        case End::By::no_start:
            out.why = "the compile process cannot be started (" + end.why + ")";
            break;
        case End::By::itself:
            out.why = "the compile process ended too early";
            break;
    }
    return out;
}

}  // namespace steer::build
