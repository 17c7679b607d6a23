// `capture.start`, `capture.read`, `capture.stop` of the control socket: frames of the workers, as
// the bytes of a pcapng file.
//
//   capture.start {"name", "client", "port", "interface", "count", "seconds", "bytes"}
//                              {"capture": its number}
//   capture.read {"capture"}   {"bytes": base64, "frames", "lost", "done"}: waits for frames, at most
//                              kWait
//   capture.stop {"capture"}   the same, at once; with the last bytes `done` is true
//
// One capture at a time. It ends after `count` frames or `seconds`, or when its client has not read
// for kPatience. A slow client loses frames, which are counted. Lives on the main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "control/api/rpc/methods.h"
#include "control/host/process/published.h"
#include "control/runtime/dataplane_runtime.h"
#include "control/runtime/query_record_feed.h"
#include "dataplane/base/clock.h"
#include "dataplane/stages/capture.h"

namespace steer {

class CaptureService {
  public:
    static constexpr std::chrono::milliseconds kEvery{10}, kWait{1000}, kPatience{5000};
    static constexpr std::size_t kMostKept = std::size_t{4} << 20;  // bytes waiting for the client
    static constexpr std::size_t kMostSent = std::size_t{192} << 10;  // bytes of one answer
    // The interface of queries over kernel sockets.
    static constexpr std::string_view kSockets = "sockets";

    // All arguments must outlive it.
    CaptureService(boost::asio::io_context& main_io, DataplaneRuntime& runtime,
                   QueryRecordFeed& records, Clock& clock);
    ~CaptureService();
    CaptureService(const CaptureService&) = delete;
    CaptureService& operator=(const CaptureService&) = delete;

    void add_methods(ops::Methods& methods);
    // Ends the capture; no worker copies frames after that. Call it while the workers run.
    void end();

  private:
    struct Session;
    struct Frame {
        std::uint32_t interface;
        std::uint64_t at_ns;  // CLOCK_BOOTTIME
        std::uint32_t length;
        bool is_sent;
        std::vector<std::uint8_t> bytes;
    };

    ops::RpcResult start(const ops::Arguments& asked);
    void read(const ops::Arguments& asked, bool stops, const ops::RpcDone& done);
    void tick();
    void arm();
    void collect();
    void take(const QueryRecordView& record);
    void answer();
    void finish();
    [[nodiscard]] bool is_copied() const;
    [[nodiscard]] std::uint64_t lost_by_workers() const;
    std::uint32_t interface_of(std::size_t worker, std::uint8_t port);

    DataplaneRuntime& runtime_;
    QueryRecordFeed& records_;
    Clock& clock_;
    unsigned taker_ = 0;
    boost::asio::steady_timer timer_;
    Published<CaptureFilter> filter_;
    std::unique_ptr<Session> session_;
    std::uint64_t next_ = 1;

    std::mutex mutex_;  // protects the next four members
    std::optional<CaptureFilter> of_sockets_;
    std::vector<Frame> from_sockets_;
    std::size_t bytes_from_sockets_ = 0;
    std::uint64_t lost_from_sockets_ = 0;
};

}  // namespace steer
