// The control socket's methods about records of `static` plugins: `static.print`, `static.add`,
// `static.remove`.
//
//   static.print {"plugin", "where": [WORD...]}
//                 {"file", "records": [{"plugin", "number", "runtime", "place", "disabled", "words": {...}}]}
//   static.add {"plugin", "record": [WORD...]}
//   static.remove {"plugin", "number" | "where": [WORD...]}
//                 {"plugin", "file", "added" or "removed": [TEXT...], "generation", "flushed"}
//
// A word is a property of RouterOS: "name=nas.lan" (record_words.h). `number` counts the records of
// a plugin in printed order. A change is answered when it is applied and the cached answers of its
// names are removed. If the reload rejects it, the file gets its old text back. One change runs at
// a time, kMaxWaiting wait. A separate thread reads and writes files; everything else is on the
// main thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/config/lists/runtime_records.h"
#include "control/host/process/side_thread.h"
#include "control/sources/records/record_file.h"
#include "matchers/name_matcher.h"

namespace steer::records {

class StaticService {
  public:
    static constexpr std::size_t kMaxWaiting = 64;

    struct InForce {
        std::uint32_t generation = 0;
        std::string error;  // why it is not applied; empty: it is
    };
    using Reload = std::function<void(const std::string& why, std::function<void(InForce)> done)>;
    // Removes the cached answers of these names; calls back with their number.
    using Flush = std::function<void(std::vector<matchers::Rule> names,
                                     std::function<void(Result<std::uint64_t>)> done)>;

    // After its end, unanswered changes are not done, or not applied.
    StaticService(boost::asio::io_context& main_io, Reload reload, Flush flush);
    StaticService(const StaticService&) = delete;
    StaticService& operator=(const StaticService&) = delete;

    void add_methods(ops::Methods& methods);
    // Sets the present configuration.
    void follow(const config::Settings& settings);
    void write_metrics(ops::MetricWriter& writer) const;

  private:
    using Plugin = config::StaticPlugins::One;
    struct Request {
        Change change;
        bool with_pointers = false;
        ops::RpcDone done;
    };
    using RequestPtr = std::shared_ptr<Request>;

    // nullptr: unknown, or not unique; `done` got the error.
    [[nodiscard]] const Plugin* find(const std::string& tag, const ops::RpcDone& done) const;
    void print(const ops::Arguments& asked, const ops::RpcDone& done) const;
    void add(const ops::Arguments& asked, const ops::RpcDone& done);
    void remove(const ops::Arguments& asked, const ops::RpcDone& done);
    void take(RequestPtr request);
    void begin();
    void wrote(const Result<Written>& written);
    void put_in_force(const Written& written);
    void flush(std::uint32_t generation);
    void refuse(const std::string& why);
    void end(ops::RpcResult result);
    template <class Work, class Then>
    void aside(Work work, Then then);

    const Reload reload_;
    const Flush flush_;
    std::string file_;  // empty: off
    std::shared_ptr<const config::StaticPlugins> plugins_ =
        std::make_shared<config::StaticPlugins>();
    std::deque<RequestPtr> waiting_;  // the first one is running
    std::uint64_t added_ = 0, removed_ = 0, refused_ = 0;
    SideThread aside_;
};

}  // namespace steer::records
