#include "control/streams/upstream/upstream_datagrams.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace steer::stream {

UpstreamDatagrams::UpstreamDatagrams(StreamContext& context, UpstreamUdp& udp, UpstreamTcp& tcp,
                                     std::shared_ptr<const UpstreamTarget> target,
                                     std::shared_ptr<UpstreamState> state)
    : context_(context),
      udp_(udp),
      tcp_(tcp),
      target_(std::move(target)),
      state_(std::move(state)) {}

void UpstreamDatagrams::ask(UpstreamAsk ask, bool over_tcp) {
    if (name_ == nullptr) {
        const UpstreamName::Question question{
            target_->address ? target_->address->to_string() : target_->host, target_->bootstrap,
            target_->family, target_->mark, target_->device};
        name_ = std::make_shared<UpstreamName>(context_, question, [weak = weak_from_this()] {
            if (const auto self = weak.lock()) self->on_name();
        });
    }
    name_->need();
    if (!name_->addresses().empty()) return send(std::move(ask), over_tcp);
    if (waiting_.size() >= kMaxWaiting) return hand_back(context_, ask, nullptr, EBUSY);
    const std::uint64_t deadline_ms = context_.now_ms() + ask.timeout_ms;
    waiting_.push_back({std::move(ask), deadline_ms, over_tcp});
}

void UpstreamDatagrams::send(UpstreamAsk ask, bool over_tcp) {
    ask.address = name_->addresses().front();
    ask.port = target_->port;
    ask.mark = target_->mark;
    ask.device = target_->device;
    ask.on_result = [weak = weak_from_this(), address = ask.address](int error) {
        if (const auto self = weak.lock()) self->on_end(address, error);
    };
    if (over_tcp) {
        tcp_.ask(std::move(ask));
    } else {
        udp_.ask(std::move(ask));
    }
}

void UpstreamDatagrams::on_end(const IpAddress& address, int error) {
    if (error == 0) {
        failed_in_row_ = 0;
        name_->works(address);
        state_->works(target_->text_of(address));
        return;
    }
    name_->fails(address);
    if (++failed_in_row_ < kFailures) return;
    state_->fails("asking " + target_->text_of(address) + " failed: " + std::strerror(error));
}

void UpstreamDatagrams::on_name() {
    if (name_->addresses().empty()) state_->fails(name_->error());
    for (Waiting& one : std::exchange(waiting_, {})) {
        if (name_->addresses().empty()) {
            hand_back(context_, one.ask, nullptr, EHOSTUNREACH);
        } else {
            send(std::move(one.ask), one.over_tcp);
        }
    }
}

void UpstreamDatagrams::tick() {
    const std::uint64_t now = context_.now_ms();
    std::erase_if(waiting_, [&](const Waiting& one) { return one.deadline_ms <= now; });
}

void UpstreamDatagrams::network_changed() {
    if (name_ != nullptr) name_->network_changed();
}

void UpstreamDatagrams::close() {
    if (name_ != nullptr) name_->close();
    waiting_.clear();
}

}  // namespace steer::stream
