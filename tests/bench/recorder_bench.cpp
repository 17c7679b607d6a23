// Query records from a worker's ring into the sinks of a query_recorder: what is kept at a given rate, and for how much CPU.
//
//   bench_recorder SINKS FOLDER RATE SECONDS
//
// SINKS: database, json, dnstap, or several with commas. A producer in the worker's place writes RATE records a second in
// bursts of a millisecond: 100,000 names, few of them frequent, 5,000 clients, answers of 96 bytes. One line of JSON.
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "control/observe/recorder/recorder.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/runtime/query_record_feed.h"
#include "support/eal_fixture.h"

namespace {

using namespace steer;
using Ticks = std::chrono::steady_clock;

constexpr std::size_t kNames = 100'000, kClients = 5'000, kResponse = 96;

double cpu_s(clockid_t clock) {
    timespec spent{};
    (void)::clock_gettime(clock, &spent);
    return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) / 1e9;
}

std::uint64_t boot_ns() {
    timespec now{};
    (void)::clock_gettime(CLOCK_BOOTTIME, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec);
}

std::int64_t wall_us() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

std::vector<std::uint8_t> query_for(std::size_t number) {
    std::vector<std::uint8_t> message{0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
    for (const std::string& label : {"host" + std::to_string(number), std::string("customers"),
                                     std::string("example"), std::string("com")}) {
        message.push_back(static_cast<std::uint8_t>(label.size()));
        message.insert(message.end(), label.begin(), label.end());
    }
    for (const int byte : {0, 0, 1, 0, 1})
        message.push_back(static_cast<std::uint8_t>(byte));
    return message;
}

class Producer {
  public:
    Producer(RecordRing& ring, unsigned rate) : ring_(ring), rate_(rate) {
        for (std::size_t i = 0; i < kNames; ++i)
            queries_.push_back(query_for(i));
    }

    void run(std::chrono::seconds time) {
        const auto begin = Ticks::now();
        for (unsigned tick = 0; Ticks::now() < begin + time; ++tick) {
            // What a tick that arrived late has to make up for.
            const auto due = static_cast<std::uint64_t>(
                std::chrono::duration<double>(Ticks::now() - begin).count() * rate_);
            const std::uint64_t now = boot_ns();
            for (std::uint64_t left = due - std::min(due, made_); left > 0; --left)
                put(now);
            ring_.publish();
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        cpu_s_ = cpu_s(CLOCK_THREAD_CPUTIME_ID);
    }

    [[nodiscard]] std::uint64_t made() const { return made_; }
    [[nodiscard]] std::uint64_t lost() const { return lost_; }
    [[nodiscard]] double cpu() const { return cpu_s_; }

  private:
    void put(std::uint64_t now) {
        random_ = random_ * 6364136223846793005U + 1442695040888963407U;
        const double share = static_cast<double>(random_ >> 33U) / 2147483648.0;
        const auto& query = queries_[static_cast<std::size_t>(std::pow(share, 4) * kNames)];
        ++made_;
        const unsigned cells = CellRing::cells_for(sizeof(QueryRecord) + query.size() + kResponse);
        auto* const head = static_cast<QueryRecord*>(ring_.reserve(cells));
        if (head == nullptr) {
            ++lost_;
            ++lost_before_;
            return;
        }
        const auto n = head->cells;
        *head = QueryRecord{};
        head->cells = n;
        head->end = EndRow::answered;
        head->path = made_ % 10 == 0 ? AnswerPath::forwarded : AnswerPath::packet_cache;
        head->ended_ns = now;
        head->trace_id = made_;
        head->duration_us = static_cast<std::uint32_t>(random_ >> 54U);
        head->stands_for = 1;
        head->lost = std::exchange(lost_before_, 0);
        head->query_bytes = head->query_length = static_cast<std::uint16_t>(query.size());
        head->response_bytes = head->response_length = kResponse;
        head->ede = head->upstream = head->cache = QueryRecord::kNone;
        if (made_ % 10 == 0) head->upstream = 0;
        head->qtype = head->qclass = 1;
        head->client_port = static_cast<std::uint16_t>(random_ >> 20U);
        head->local_port = 53;
        const std::array<std::uint8_t, 4> client{10, 0,
                                                 static_cast<std::uint8_t>(random_ >> 40U & 15U),
                                                 static_cast<std::uint8_t>(random_ >> 48U)};
        head->client = IpAddress::from_v4(client.data());
        head->local = IpAddress::from_v4(std::array<std::uint8_t, 4>{192, 0, 2, 53}.data());
        head->qname_len = static_cast<std::uint8_t>(query.size() - 16);
        auto* const body = reinterpret_cast<std::uint8_t*>(head + 1);
        std::memcpy(body, query.data(), query.size());
        std::uint8_t* const response = body + query.size();
        std::memset(response, 0, kResponse);
        std::memcpy(response, query.data(), std::min(query.size(), kResponse));
        response[2] = 0x81;
        response[7] = 1;
        constexpr std::uint8_t kAddress[] = {0xc0, 12, 0, 1, 0,   1,  0,   0,
                                             1,    44, 0, 4, 198, 51, 100, 2};
        if (query.size() + sizeof kAddress <= kResponse)
            std::memcpy(response + query.size(), kAddress, sizeof kAddress);
    }

    RecordRing& ring_;
    const unsigned rate_;
    std::vector<std::vector<std::uint8_t>> queries_;
    std::uint64_t random_ = 88'172'645'463'325'252U, made_ = 0, lost_ = 0;
    std::uint32_t lost_before_ = 0;
    double cpu_s_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: bench_recorder SINKS FOLDER RATE SECONDS\n");
        return 2;
    }
    const std::string sinks = argv[1], folder = argv[2];
    const auto rate = static_cast<unsigned>(std::atoi(argv[3]));
    const std::chrono::seconds time(std::atoi(argv[4]));
    const steer::test::EalFixture eal;
    RuntimeOptions options;
    options.board_rows = 1024;
    options.small_buffers = 1024;
    options.large_buffers = 4;
    DataplaneRuntime runtime(options);
    QueryRecordFeed feed(runtime);
    recorder::Recorder recorder(
        feed, wall_us, [](const std::string& s) { std::fprintf(stderr, "%s\n", s.c_str()); });
    recorder::RecordingPlan plan{.tag = "bench", .entries = 1, .settings = {}};
    plan.settings.max_size = std::uint64_t{16} << 30;
    if (sinks.find("database") != std::string::npos) plan.settings.path = folder + "/queries.db";
    if (sinks.find("json") != std::string::npos)
        plan.settings.json = config::RecorderJson{
            .file = folder + "/queries.json", .max_size = std::uint64_t{1} << 30, .max_files = 1};
    if (sinks.find("dnstap") != std::string::npos)
        plan.settings.dnstap = config::RecorderTap{.socket = folder + "/tap.sock"};
    recorder.follow({plan}, {.upstreams = {"1.1.1.1"}, .entries = {"main"}});
    // Files are open, and a receiver is connected.
    Producer producer(runtime.records(0), rate);
    for (bool is_ready = false; !is_ready;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const auto status = recorder.status();
        is_ready = !status.recordings.empty() &&
                   std::ranges::all_of(status.recordings[0].sinks,
                                       [](const auto& sink) { return sink.is_well; });
    }
    const double before = cpu_s(CLOCK_PROCESS_CPUTIME_ID),
                 before_here = cpu_s(CLOCK_THREAD_CPUTIME_ID);
    const auto begin = Ticks::now();
    std::thread worker([&] { producer.run(time); });
    worker.join();
    const bool flushed = recorder.flush(std::chrono::seconds(60));
    const double wall = std::chrono::duration<double>(Ticks::now() - begin).count();
    const double cpu = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - before - producer.cpu() -
                       (cpu_s(CLOCK_THREAD_CPUTIME_ID) - before_here);
    // dnstap has a thread of its own, which writes at least once a second.
    for (int i = 0; i < 100 && sinks.find("dnstap") != std::string::npos; ++i) {
        const auto sink = recorder.status().recordings.at(0).sinks.back();
        if (sink.written + sink.dropped + sink.failed >= 2 * (producer.made() - producer.lost()))
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    const auto status = recorder.status();
    std::uint64_t written = UINT64_MAX, dropped = 0, failed = 0;
    for (const auto& sink : status.recordings.at(0).sinks) {
        written = std::min(written, sink.kind == "dnstap" ? sink.written / 2 : sink.written);
        dropped += sink.dropped;
        failed += sink.failed;
    }
    std::printf(
        "{\"made\": %llu, \"written\": %llu, \"lost\": %llu, \"dropped\": %llu, \"failed\": %llu, "
        "\"per_s\": %.0f, "
        "\"cores\": %.3f, \"cpu_ns\": %.0f, \"flushed\": %s}\n",
        static_cast<unsigned long long>(producer.made()), static_cast<unsigned long long>(written),
        static_cast<unsigned long long>(producer.lost()), static_cast<unsigned long long>(dropped),
        static_cast<unsigned long long>(failed), static_cast<double>(written) / wall, cpu / wall,
        cpu * 1e9 / static_cast<double>(std::max<std::uint64_t>(producer.made(), 1)),
        flushed ? "true" : "false");
    recorder.stop();
    return 0;
}
