#include "control/sinks/fleet/redis_link.h"

#include <utility>

namespace steer::fleet {

MasterFinder::MasterFinder(boost::asio::io_context& io, const FleetPlan& plan,
                           routeros::Transport::Clock clock)
    : plan_(plan),
      clock_(clock),
      transport_(io, plan.sentinels.empty() ? plan.redis : plan.sentinels.front(),
                 std::move(clock)),
      query_(transport_, plan.master, plan.login) {
    transport_.drive(query_);
}

void MasterFinder::find(Done done) {
    query_.cancel();
    done_ = std::move(done);
    ask_next(plan_.sentinels.size(), "there is none");
}

void MasterFinder::ask_next(std::size_t left, const std::string& last_error) {
    if (left == 0) {
        const Done done = std::exchange(done_, nullptr);
        if (done) done(Error{"no Sentinel names the master: " + last_error});
        return;
    }
    const routeros::TransportConfig& sentinel = plan_.sentinels[at_];
    transport_.configure(sentinel);
    query_.ask(clock_(), [this, left, place = place_text(sentinel)](Result<MasterAddress> found,
                                                                    std::uint64_t /*now_ms*/) {
        if (found) {
            const Done done = std::exchange(done_, nullptr);
            if (done) done(std::move(found));
            return;
        }
        at_ = (at_ + 1) % plan_.sentinels.size();
        ask_next(left - 1, place + ": " + found.error().text);
    });
    transport_.wake();
}

void MasterFinder::cancel() {
    done_ = nullptr;
    query_.cancel();
}

void MasterFinder::stop() {
    cancel();
    transport_.stop();
}

RedisLink::RedisLink(boost::asio::io_context& io, const FleetPlan& plan,
                     routeros::Transport::Clock clock)
    : plan_(plan),
      clock_(clock),
      transport_(io, plan.redis, clock),
      finder_(io, plan, std::move(clock)) {}

void RedisLink::drive(RedisConnection& user) {
    user_ = &user;
    transport_.drive(user);
}

void RedisLink::stop() {
    finder_.stop();
    transport_.stop();
}

void RedisLink::connect() {
    if (plan_.sentinels.empty()) return connect_to(plan_.redis);
    transport_.close();
    finder_.find([this](const Result<MasterAddress>& found) {
        if (!found) {
            user_->closed(found.error().text, clock_());
            return wake();
        }
        routeros::TransportConfig to = plan_.redis;
        to.host = found->host;
        to.port = found->port;
        connect_to(std::move(to));
    });
}

void RedisLink::connect_to(routeros::TransportConfig to) {
    RedisLogin login = plan_.login;
    login.must_be_asked = !is_local(to) && to.tls.certificate.empty();
    user_->use(std::move(login));
    place_ = place_text(to);
    transport_.configure(std::move(to));
    transport_.connect();
    wake();
}

void RedisLink::close() {
    finder_.cancel();
    transport_.close();
}

}  // namespace steer::fleet
