// recorder.status, recorder.history, recorder.top and recorder.series of the control socket.
//
// A background thread reads the databases, one request at a time; a few more may wait. Lives on the
// main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <deque>
#include <functional>
#include <memory>

#include "control/api/rpc/methods.h"
#include "control/host/process/background.h"
#include "control/observe/recorder/recorder.h"

namespace steer::recorder {

class RecorderMethods {
  public:
    static constexpr std::size_t kMostWaiting = 16;

    // Both must outlive it.
    RecorderMethods(boost::asio::io_context& main_io, Recorder& recorder);
    void add_methods(ops::Methods& methods);

    using Read = std::function<Result<boost::json::value>(const std::string& path)>;
    // Reads the database of the query_recorder that the request names (`plugin`), on the thread
    // for it. Calls `done` on the main thread.
    void read(const ops::Arguments& asked, Read read, const ops::RpcDone& done);

  private:
    struct Waiting {
        std::string path;
        Read read;
        ops::RpcDone done;
    };
    void begin_next();
    [[nodiscard]] bool may_see_decisions(const ops::Arguments& asked) const;

    boost::asio::io_context& main_io_;
    Recorder& recorder_;
    std::deque<Waiting> waiting_;
    bool is_reading_ = false;
    BackgroundThread thread_{"history"};
};

}  // namespace steer::recorder
