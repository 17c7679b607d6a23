#include "tools/rossim/machine.h"

#include <utility>

namespace rossim {
namespace {

class FaultyJob : public Job {
  public:
    FaultyJob(Machine& machine, const Fault& fault, std::unique_ptr<Job> job)
        : machine_(machine), fault_(fault), job_(std::move(job)) {
        session = job_->session;
        tag = job_->tag;
        cpu_class = job_->cpu_class;
        carries_out_ = fault.kind == FaultKind::hang_in_reply ||
                       (fault.applied && fault.kind != FaultKind::trap);
        left_us_ = fault.kind == FaultKind::trap ? machine.options.costs.base : job_->wants_us();
    }

    std::int64_t wants_us() const override { return carries_out_ ? job_->wants_us() : left_us_; }
    bool outlives_session() const override { return carries_out_ && job_->outlives_session(); }

    bool work(std::int64_t cpu_us, std::int64_t now_us) override {
        std::string reply;
        if (carries_out_) {
            machine_.begin_capture(session);
            const bool over = job_->work(cpu_us, now_us);
            reply = machine_.end_capture();
            if (!over) {
                if (!reply.empty()) machine_.send(session, std::move(reply));
                return false;
            }
        } else {
            left_us_ -= cpu_us;
            if (left_us_ > 0) return false;
        }
        strike(reply);
        return true;
    }

  private:
    void strike(const std::string& reply);
    void refuse();

    Machine& machine_;
    Fault fault_;
    std::unique_ptr<Job> job_;
    bool carries_out_ = false;
    std::int64_t left_us_ = 0;
};

void FaultyJob::strike(const std::string& reply) {
    switch (fault_.kind) {
        case FaultKind::trap:
            refuse();
            return;
        case FaultKind::reset:
            machine_.break_off(session);
            return;
        case FaultKind::reboot:
            machine_.after_event(
                [&machine = machine_, down_us = fault_.for_us] { machine.reboot(down_us); });
            return;
        case FaultKind::hang:
        case FaultKind::hang_in_reply:
        case FaultKind::drip:
            break;
    }
    const std::size_t sent = fault_.kind == FaultKind::hang_in_reply ? reply.size() / 2 : 0;
    if (sent != 0) machine_.send(session, reply.substr(0, sent));
    machine_.after_event([&machine = machine_, session = session, for_us = fault_.for_us,
                          rest = reply.substr(sent)] {
        machine.hang(for_us);
        if (!rest.empty()) machine.send(session, rest);
    });
}

void FaultyJob::refuse() {
    machine_.send_trap(session, tag, {fault_.message, fault_.category});
    Session* const asker = machine_.find_session(session);
    if (asker != nullptr && asker->login_in_progress) machine_.login_over(*asker);
}

}  // namespace

std::unique_ptr<Job> make_faulty(Machine& machine, const Fault& fault, std::unique_ptr<Job> job) {
    return std::make_unique<FaultyJob>(machine, fault, std::move(job));
}

}  // namespace rossim
