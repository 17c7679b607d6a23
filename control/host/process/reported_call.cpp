#include "control/host/process/reported_call.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace steer {

bool can_report_calls() {
    unsigned action = SECCOMP_RET_USER_NOTIF;
    seccomp_notif_sizes sizes{};
    return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 &&
           ::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
           sizes.seccomp_notif <= ReportedCall::kRequestRoom &&
           sizes.seccomp_notif_resp <= ReportedCall::kReplyRoom;
}

bool ReportedCall::receive(int listener) {
    request_.fill(std::byte{});  // else the kernel refuses it
    return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, request_.data()) == 0;
}

bool ReportedCall::let_pass(int listener) {
    return answer(listener, SECCOMP_USER_NOTIF_FLAG_CONTINUE, 0);
}

bool ReportedCall::refuse(int listener, int error) {
    return answer(listener, 0, -error);
}

bool ReportedCall::answer(int listener, unsigned flags, int error) {
    reply_.fill(std::byte{});
    auto* const reply = reinterpret_cast<seccomp_notif_resp*>(reply_.data());
    reply->id = request().id;
    reply->flags = flags;
    reply->error = error;
    return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, reply) == 0;
}

}  // namespace steer
