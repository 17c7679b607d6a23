// The log's queue and its thread: readers that read, that stop, and that come back.
#include "control/api/log/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/sinks/sink.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "control/api/log/log_file.h"
#include "control/api/log/log_output.h"
#include "control/api/log/log_queue.h"
#include "dataplane/port/descriptor.h"
#include "support/temp_folder.h"

namespace {

using namespace std::chrono_literals;
using steer::ops::LineKind;
using steer::ops::LogQueue;
using steer::ops::LogWriter;
using Texts = std::vector<std::string>;

constexpr auto kReadingPatience = 60s;

bool push(LogQueue& queue, std::string_view text, LineKind kind = LineKind::ordinary) {
    LogQueue::Line line;
    line.text = text;
    return queue.push(line, kind);
}

// "TEXT", or "(N lost) TEXT".
Texts take_all(LogQueue& queue) {
    Texts all;
    while (auto batch = queue.take()) {
        batch->for_each([&](const LogQueue::Line& line) {
            const std::string lost = std::to_string(line.lost_before);
            all.push_back((line.lost_before == 0 ? "" : "(" + lost + " lost) ") +
                          std::string(line.text));
        });
        queue.release(std::move(*batch));
    }
    return all;
}

// An output that keeps what it gets, and waits in its first line while `waits` is set.
class KeptOutput final : public spdlog::sinks::sink {
  public:
    void log(const spdlog::details::log_msg& message) override {
        if (waits) {
            is_in_line.count_down();
            goes_on.wait();
            waits = false;
        }
        const std::scoped_lock lock(mutex_);
        if (fails) throw std::runtime_error("no space left on device");
        texts_.emplace_back(message.payload.data(), message.payload.size());
    }
    void flush() override {}
    void set_pattern(const std::string&) override {}
    void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

    [[nodiscard]] Texts texts() const {
        const std::scoped_lock lock(mutex_);
        return texts_;
    }
    void fail(bool on) {
        const std::scoped_lock lock(mutex_);
        fails = on;
    }

    bool waits = false;
    std::latch is_in_line{1}, goes_on{1};

  private:
    mutable std::mutex mutex_;
    bool fails = false;
    Texts texts_;
};

struct Writer {
    std::shared_ptr<KeptOutput> output = std::make_shared<KeptOutput>();
    LogWriter log{"standard output", "log"};

    explicit Writer(bool waits = false) {
        output->waits = waits;
        log.set_output(output);
    }
    void say(const std::string& text, LineKind kind = LineKind::ordinary) {
        log.push({{}, {}, {}, spdlog::level::info, text}, kind);
    }
};

// A pipe whose writer is the log; what is in it, read until `end` comes.
struct Pipe {
    steer::Descriptor in, out;
    Pipe() {
        std::array<int, 2> ends{};
        BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
        in = steer::Descriptor(ends[0]);
        out = steer::Descriptor(ends[1]);
    }
    [[nodiscard]] std::string read_until(std::string_view end) const {
        std::string all;
        std::array<char, 65536> room{};
        while (!all.ends_with(end)) {
            const ssize_t n = ::read(in.get(), room.data(), room.size());
            if (n <= 0) break;
            all.append(room.data(), static_cast<std::size_t>(n));
        }
        return all;
    }
    // Nothing fits any more, and nothing was added for a while.
    void wait_until_full() const {
        for (int before = -1, now = 0; now == 0 || now != before;) {
            before = now;
            ::poll(nullptr, 0, 20);
            ::ioctl(in.get(), FIONREAD, &now);
        }
    }
};

std::string line_of(std::size_t number) {
    std::string text = "line " + std::to_string(number) + " ";
    return text + std::string(LogQueue::kLineBytes - text.size(), 'x');
}

}  // namespace

BOOST_AUTO_TEST_SUITE(log_queue)

BOOST_AUTO_TEST_CASE(lines_leave_in_the_order_of_their_arrival) {
    LogQueue queue;
    Texts expected;
    for (std::size_t i = 0; i < 2'000; ++i) {
        expected.push_back(std::string(i % 700, 'x') + std::to_string(i));
        BOOST_REQUIRE(push(queue, expected.back(), static_cast<LineKind>(i % 4)));
    }
    BOOST_TEST(take_all(queue) == expected, boost::test_tools::per_element());
    BOOST_TEST(queue.is_empty());
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_lines_of_200_bytes_have_room) {
    LogQueue queue;
    for (std::size_t i = 0; i < LogQueue::kLines; ++i)
        BOOST_REQUIRE(push(queue, line_of(i)));
    BOOST_TEST(!push(queue, line_of(0)));
    BOOST_TEST(take_all(queue).size() == LogQueue::kLines);
    BOOST_TEST(queue.take_lost() == 1U);
    BOOST_TEST(push(queue, line_of(0)));  // there is room again
}

BOOST_AUTO_TEST_CASE(errors_the_audit_and_last_lines_have_room_that_others_cannot_take) {
    for (const auto flood : {LineKind::ordinary, LineKind::error, LineKind::audit}) {
        LogQueue queue;
        while (push(queue, line_of(0), flood)) {
        }
        BOOST_TEST(!push(queue, line_of(1)));
        for (const auto kind : {LineKind::error, LineKind::audit, LineKind::last}) {
            if (kind == flood) continue;
            for (std::size_t i = 0; i < LogQueue::kReservedLines; ++i)
                BOOST_REQUIRE(push(queue, line_of(i), kind));
            BOOST_TEST(!push(queue, line_of(0), kind));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_line_knows_how_many_were_lost_before_it) {
    LogQueue queue;
    while (push(queue, "")) {
    }
    BOOST_TEST(!push(queue, ""));
    BOOST_REQUIRE(push(queue, "an error", LineKind::error));
    BOOST_TEST(!push(queue, ""));
    const Texts all = take_all(queue);
    BOOST_TEST(all.back() == "(2 lost) an error");
    BOOST_TEST(queue.take_lost() == 1U);
    BOOST_TEST(queue.take_lost() == 0U);
}

BOOST_AUTO_TEST_CASE(room_is_taken_until_a_batch_was_written) {
    LogQueue queue;
    while (push(queue, line_of(0))) {
    }
    auto batch = queue.take();
    BOOST_TEST(!push(queue, line_of(1)));
    queue.release(std::move(*batch));
    BOOST_TEST(push(queue, line_of(1)));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(log_writer)

BOOST_AUTO_TEST_CASE(a_burst_is_whole_and_in_order_for_a_reader_that_reads) {
    const Pipe pipe;
    LogWriter log("standard output", "log");
    auto output = steer::ops::inherited_output(pipe.out.get(), log.patience());
    output->set_pattern("%v");
    log.set_output(output);
    std::string expected;
    for (std::size_t i = 0; i < LogQueue::kLines; ++i)
        expected += line_of(i) + "\n";
    std::string got;
    std::thread reader([&] { got = pipe.read_until(line_of(LogQueue::kLines - 1) + "\n"); });
    for (std::size_t i = 0; i < LogQueue::kLines; ++i)
        log.push({{}, {}, {}, spdlog::level::debug, line_of(i)}, LineKind::ordinary);
    reader.join();
    BOOST_CHECK(got == expected);
    BOOST_TEST(log.report().lost == 0U);
}

BOOST_AUTO_TEST_CASE(a_thread_that_logs_does_not_wait_for_a_reader_that_has_stopped) {
    Writer writer(true);
    writer.say("first");
    writer.output->is_in_line.wait();
    for (std::size_t i = 0; i < LogQueue::kLines + 100; ++i)  // would not end if one waited
        writer.say(line_of(i));
    writer.say("wrong password", LineKind::audit);
    BOOST_TEST(!writer.log.flush(0ms));
    const auto stopped = writer.log.report();
    BOOST_TEST(stopped.lost >= 100U);
    BOOST_TEST(stopped.waiting >= LogQueue::kLines);

    // The reader is back: it has all that had room, and a line says where others are missing.
    writer.output->goes_on.count_down();
    BOOST_REQUIRE(writer.log.flush(kReadingPatience));
    const Texts texts = writer.output->texts();
    BOOST_TEST(texts.front() == "first");
    BOOST_TEST(texts[1] == line_of(0));
    BOOST_TEST(texts.back() == "wrong password");
    BOOST_TEST(texts[texts.size() - 2] ==
               "the log lost " + std::to_string(stopped.lost) +
                   " lines here: its reader was too slow, or had stopped; look at what reads or "
                   "stores it");
    BOOST_TEST(texts.size() + stopped.lost == LogQueue::kLines + 100 + 3);
    BOOST_TEST(writer.log.report().waiting == 0U);
}

BOOST_AUTO_TEST_CASE(lines_lost_behind_the_last_one_are_reported_too) {
    Writer writer(true);
    writer.say("first");
    writer.output->is_in_line.wait();
    for (std::size_t i = 0; i < LogQueue::kLines + 100; ++i)
        writer.say(line_of(i));
    writer.output->goes_on.count_down();
    BOOST_REQUIRE(writer.log.flush(kReadingPatience));
    BOOST_TEST(writer.output->texts().back().starts_with("the log lost "));
}

BOOST_AUTO_TEST_CASE(lines_that_cannot_be_written_are_counted_and_reported_with_the_reason) {
    Writer writer;
    writer.output->fail(true);
    writer.say("one");
    writer.say("two");
    BOOST_REQUIRE(writer.log.flush(kReadingPatience));
    BOOST_TEST(writer.log.report().lost == 2U);
    writer.output->fail(false);
    writer.say("three");
    BOOST_REQUIRE(writer.log.flush(kReadingPatience));
    const Texts expected{
        "the log lost 2 lines here: no space left on device; look at what reads or stores it",
        "three"};
    BOOST_TEST(writer.output->texts() == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(lines_before_a_change_of_the_output_go_to_the_earlier_one) {
    Writer writer;
    const auto next = std::make_shared<KeptOutput>();
    writer.say("one");
    writer.log.set_output(next);
    writer.say("two");
    writer.log.set_output(nullptr);
    writer.say("three");
    BOOST_REQUIRE(writer.log.flush(kReadingPatience));
    BOOST_TEST(writer.output->texts() == Texts{"one"});
    BOOST_TEST(next->texts() == Texts{"two"});
}

BOOST_AUTO_TEST_CASE(an_end_writes_all_that_waits) {
    Writer writer;
    for (std::size_t i = 0; i < 10'000; ++i)
        writer.say(line_of(i));
    writer.log.end(steer::ops::LogPatience::Clock::now() + kReadingPatience);
    BOOST_TEST(writer.output->texts().size() == 10'000U);
    writer.say("late");
    BOOST_TEST(writer.log.report().lost == 1U);
}

BOOST_AUTO_TEST_CASE(an_end_waits_for_a_reader_that_has_stopped_no_longer_than_its_limit) {
    const Pipe pipe;
    LogWriter log("standard output", "log");
    auto output = steer::ops::inherited_output(pipe.out.get(), log.patience());
    log.set_output(output);
    for (std::size_t i = 0; i < LogQueue::kLines; ++i)
        log.push({{}, {}, {}, spdlog::level::info, line_of(i)}, LineKind::ordinary);
    pipe.wait_until_full();
    const auto began = steer::ops::LogPatience::Clock::now();
    log.end(began + 300ms);
    BOOST_TEST((steer::ops::LogPatience::Clock::now() - began < 2s));  // (of a loaded machine)
    BOOST_TEST(log.report().lost > LogQueue::kLines / 2);
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_others_share_stays_as_it_is) {
    const Pipe pipe;
    Writer writer;
    const int before = ::fcntl(pipe.out.get(), F_GETFL);
    writer.log.set_output(steer::ops::inherited_output(pipe.out.get(), writer.log.patience()));
    writer.say("one");
    BOOST_REQUIRE(writer.log.flush(kReadingPatience));
    BOOST_TEST(::fcntl(pipe.out.get(), F_GETFL) == before);
}

BOOST_AUTO_TEST_CASE(a_reader_of_a_named_pipe_may_come_later_and_come_back) {
    (void)::signal(SIGPIPE, SIG_IGN);  // as the daemon does
    const steer::test::TempFolder folder;
    const std::string file = folder / "log";
    BOOST_REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    Writer writer;
    // Neither of these waits for a reader.
    auto output = steer::ops::open_log_file(file, {steer::config::RotationPeriod::daily, 2},
                                            writer.log.patience());
    output->set_pattern("%v");
    writer.log.set_output(output);
    for (const std::string text : {"one", "two"}) {
        writer.say(text);
        Pipe reader;
        reader.in = steer::Descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
        BOOST_TEST(reader.read_until("\n") == text + "\n");
    }
    // It has gone again.
    writer.say("three");
    writer.log.end(steer::ops::LogPatience::Clock::now() + 300ms);
    BOOST_TEST(writer.log.report().lost == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
