// recorder.status, recorder.history, recorder.top and recorder.series of the control socket.
//
// Background threads read the databases: requests of different callers take turns (fair_queue.h).
// Lives on the main thread.
#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "control/api/rpc/methods.h"
#include "control/host/process/background.h"
#include "control/observe/recorder/fair_queue.h"
#include "control/observe/recorder/flush_pacer.h"
#include "control/observe/recorder/history.h"
#include "control/observe/recorder/recorder.h"

namespace steer::recorder {

class RecorderMethods {
  public:
    // The test for members of a group of devices. Error: there is no such group.
    using Members =
        std::function<Result<decltype(HistoryFilter::is_member)>(std::string_view group)>;

    // Both must outlive it.
    RecorderMethods(boost::asio::io_context& main_io, Recorder& recorder, Members members);
    void add_methods(ops::Methods& methods);

    using Read = std::function<Result<boost::json::value>(const std::string& path)>;
    // Reads the database of the query_recorder that the request names (`plugin`), on a thread for
    // it. Calls `done` on the main thread.
    void read(const ops::Arguments& asked, Read read, const ops::RpcDone& done);
    // Whether that recorder keeps only prefixes of its clients.
    [[nodiscard]] bool masks_clients(const ops::Arguments& asked) const;

  private:
    struct Waiting {
        std::string path;
        Read read;
        ops::RpcDone done;
    };
    void begin_next();
    void begin(std::size_t thread, FairQueue<Waiting>::Next next);
    // Adds the group of the request to the filter. False: `done` got the error.
    bool add_group(const ops::Arguments& asked, HistoryFilter& filter,
                   const ops::RpcDone& done) const;
    [[nodiscard]] bool may_see_decisions(const ops::Arguments& asked) const;

    boost::asio::io_context& main_io_;
    Recorder& recorder_;
    const Members members_;
    FairQueue<Waiting> queue_;
    FlushPacer pacer_;
    static constexpr std::size_t kThreads = FairQueue<Waiting>::kMostRunning;
    std::array<bool, kThreads> is_reading_{};
    std::array<BackgroundThread, kThreads> threads_{BackgroundThread("history"),
                                                    BackgroundThread("history")};
};

}  // namespace steer::recorder
