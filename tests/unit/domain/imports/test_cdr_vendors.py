"""Files of named providers: their columns and words are understood without a question about them."""

import csv
from dataclasses import dataclass

import pytest

from core.domain.imports.cdr import CdrField
from core.domain.imports.cdr_guessing import find_status, guess_columns
from core.domain.messages.messages import DeliveryStatus

F = CdrField
S, D, U = DeliveryStatus.SUBMITTED, DeliveryStatus.DELIVERED, DeliveryStatus.UNDELIVERED


@dataclass(frozen=True)
class Vendor:
    """A header as the provider's documentation names its fields, what of it is what, and what its words mean."""

    header: str
    columns: dict[CdrField, str]
    words: dict[str, DeliveryStatus]


VENDORS = {
    "Twilio": Vendor(
        "From,To,Body,Status,SentDate,ApiVersion,NumSegments,ErrorCode,AccountSid,Sid,Direction,Price,PriceUnit",
        {
            F.SENT_DATE: "SentDate",
            F.RECEIVER: "To",
            F.DELIVERY_STATUS: "Status",
            F.MESSAGE_ID: "Sid",
            F.SENDER: "From",
            F.ERROR_CODE: "ErrorCode",
            F.PRICE: "Price",
            F.CURRENCY: "PriceUnit",
            F.SEGMENTS: "NumSegments",
        },
        {"queued": S, "sent": S, "delivered": D, "undelivered": U, "failed": U},
    ),
    "Twilio, API": Vendor(
        "sid,date_created,date_sent,date_updated,to,from,status,num_segments,price,price_unit,error_code",
        {
            F.MESSAGE_ID: "sid",
            F.SENT_DATE: "date_sent",
            F.DELIVERY_DATE: "date_updated",
            F.RECEIVER: "to",
            F.SENDER: "from",
            F.DELIVERY_STATUS: "status",
            F.SEGMENTS: "num_segments",
            F.PRICE: "price",
            F.CURRENCY: "price_unit",
            F.ERROR_CODE: "error_code",
        },
        {"accepted": S, "scheduled": S, "canceled": U},
    ),
    "Jasmin": Vendor(
        "msgid,source_connector,routed_cid,source_addr,destination_addr,rate,charge,pdu_count,status,uid,trials,"
        "created_at,status_at",
        {
            F.MESSAGE_ID: "msgid",
            F.SENDER: "source_addr",
            F.RECEIVER: "destination_addr",
            F.PRICE: "charge",
            F.SEGMENTS: "pdu_count",
            F.DELIVERY_STATUS: "status",
            F.SENT_DATE: "created_at",
            F.DELIVERY_DATE: "status_at",
        },
        {"ESME_ROK": S, "ESME_RINVDSTADR": U},
    ),
    "Vonage": Vendor(
        "account_id,message_id,client_ref,direction,from,to,network,network_name,country,country_name,date_received,"
        "date_finalized,latency,status,error_code,error_code_description,currency,total_price",
        {
            F.MESSAGE_ID: "message_id",
            F.SENDER: "from",
            F.RECEIVER: "to",
            F.NETWORK: "network_name",
            F.MCCMNC: "network",
            F.COUNTRY: "country",
            F.SENT_DATE: "date_received",
            F.DELIVERY_DATE: "date_finalized",
            F.DELIVERY_STATUS: "status",
            F.ERROR_CODE: "error_code",
            F.CURRENCY: "currency",
            F.PRICE: "total_price",
        },
        {"delivered": D, "expired": U, "failed": U, "rejected": U, "accepted": S, "buffered": S},
    ),
    "Infobip": Vendor(
        "messageId,from,to,sentAt,doneAt,smsCount,mccMnc,price.pricePerMessage,price.currency,status.name,error.name",
        {
            F.MESSAGE_ID: "messageId",
            F.SENDER: "from",
            F.RECEIVER: "to",
            F.SENT_DATE: "sentAt",
            F.DELIVERY_DATE: "doneAt",
            F.SEGMENTS: "smsCount",
            F.MCCMNC: "mccMnc",
            F.PRICE: "price.pricePerMessage",
            F.CURRENCY: "price.currency",
            F.DELIVERY_STATUS: "status.name",
        },
        {
            "PENDING_ENROUTE": S,
            "PENDING_ACCEPTED": S,
            "DELIVERED_TO_HANDSET": D,
            "DELIVERED_TO_OPERATOR": S,
            "REJECTED_NETWORK": U,
            "UNDELIVERABLE_REJECTED_OPERATOR": U,
            "EXPIRED_EXPIRED": U,
        },
    ),
    "Infobip, portal": Vendor(
        "Message ID,From,To,Send At,Done At,Status,Network,MCCMNC,Price,Currency,Messages Count",
        {
            F.MESSAGE_ID: "Message ID",
            F.SENDER: "From",
            F.RECEIVER: "To",
            F.SENT_DATE: "Send At",
            F.DELIVERY_DATE: "Done At",
            F.DELIVERY_STATUS: "Status",
            F.NETWORK: "Network",
            F.MCCMNC: "MCCMNC",
            F.PRICE: "Price",
            F.CURRENCY: "Currency",
            F.SEGMENTS: "Messages Count",
        },
        {"Delivered": D, "Pending": S, "Undeliverable": U},
    ),
    "Sinch": Vendor(
        "batch_id,recipient,originator,status,code,at,operator_status_at,encoding,number_of_message_parts,operator",
        {
            F.RECEIVER: "recipient",
            F.SENDER: "originator",
            F.DELIVERY_STATUS: "status",
            F.SENT_DATE: "at",
            F.UNICODE: "encoding",
            F.NETWORK: "operator",
            F.SEGMENTS: "number_of_message_parts",
            F.ERROR_CODE: "code",
            F.DELIVERY_DATE: "operator_status_at",
        },
        {"Queued": S, "Dispatched": S, "Aborted": U, "Rejected": U, "Delivered": D, "Failed": U, "Expired": U},
    ),
    "Bird (MessageBird)": Vendor(
        "id,originator,recipient,createdDatetime,status,statusDatetime,statusErrorCode,messagePartCount,"
        "price.amount,price.currency,mccmnc",
        {
            F.MESSAGE_ID: "id",
            F.SENDER: "originator",
            F.RECEIVER: "recipient",
            F.SENT_DATE: "createdDatetime",
            F.DELIVERY_STATUS: "status",
            F.DELIVERY_DATE: "statusDatetime",
            F.ERROR_CODE: "statusErrorCode",
            F.SEGMENTS: "messagePartCount",
            F.PRICE: "price.amount",
            F.CURRENCY: "price.currency",
            F.MCCMNC: "mccmnc",
        },
        {"scheduled": S, "sent": S, "buffered": S, "delivered": D, "expired": U, "delivery_failed": U},
    ),
    "Plivo": Vendor(
        "Message UUID,From Number,To Number,Message Time,Message State,Units,Total Rate,Total Charge,Error Code",
        {
            F.MESSAGE_ID: "Message UUID",
            F.SENDER: "From Number",
            F.RECEIVER: "To Number",
            F.SENT_DATE: "Message Time",
            F.DELIVERY_STATUS: "Message State",
            F.SEGMENTS: "Units",
            F.PRICE: "Total Charge",
            F.ERROR_CODE: "Error Code",
        },
        {"queued": S, "sent": S, "failed": U, "delivered": D, "undelivered": U},
    ),
    "Telnyx": Vendor(
        "uuid,cli,cld,direction,sent_at,completed_at,delivery_status,parts,cost,currency,mcc,mnc,country_code,carrier",
        {
            F.MESSAGE_ID: "uuid",
            F.SENDER: "cli",
            F.RECEIVER: "cld",
            F.SENT_DATE: "sent_at",
            F.DELIVERY_DATE: "completed_at",
            F.DELIVERY_STATUS: "delivery_status",
            F.SEGMENTS: "parts",
            F.PRICE: "cost",
            F.CURRENCY: "currency",
            F.COUNTRY: "country_code",
            F.NETWORK: "carrier",
        },
        {
            "queued": S,
            "sending": S,
            "sent": S,
            "delivered": D,
            "sending_failed": U,
            "delivery_failed": U,
            "delivery_unconfirmed": U,
        },
    ),
    "Amazon SNS": Vendor(
        "PublishTimeUTC,MessageId,DestinationPhoneNumber,MessageType,DeliveryStatus,PriceInUSD,PartNumber,TotalParts",
        {
            F.SENT_DATE: "PublishTimeUTC",
            F.MESSAGE_ID: "MessageId",
            F.RECEIVER: "DestinationPhoneNumber",
            F.DELIVERY_STATUS: "DeliveryStatus",
            F.PRICE: "PriceInUSD",
            F.SEGMENTS: "TotalParts",
        },
        {
            "Message has been accepted by phone": D,
            "Message has been accepted by phone carrier": S,
            "Phone is currently unreachable/unavailable": U,
            "Invalid phone number": U,
        },
    ),
    "Kannel": Vendor(
        "momt,sender,receiver,msgdata,time,smsc_id,status",
        {F.SENDER: "sender", F.RECEIVER: "receiver", F.SENT_DATE: "time", F.DELIVERY_STATUS: "status"},
        {"delivered": D, "buffered": S, "ESME_ROK": S},
    ),
    "Clickatell": Vendor(
        "messageId,apiMessageId,from,to,message-timestamp,status,statusCode,charge",
        {
            F.MESSAGE_ID: "messageId",
            F.SENDER: "from",
            F.RECEIVER: "to",
            F.SENT_DATE: "message-timestamp",
            F.DELIVERY_STATUS: "status",
            F.PRICE: "charge",
            F.ERROR_CODE: "statusCode",
        },
        {"DELIVERED_TO_GATEWAY": S, "RECEIVED_BY_RECIPIENT": D, "DELIVERY_FAILURE": U, "EXPIRED": U},
    ),
    "8x8": Vendor(
        "UMID,ClientMessageId,Source,Destination,SendingDateTime,Country,Operator,State,Cost,Currency,SmsCount",
        {
            F.MESSAGE_ID: "UMID",
            F.SENDER: "Source",
            F.RECEIVER: "Destination",
            F.SENT_DATE: "SendingDateTime",
            F.COUNTRY: "Country",
            F.NETWORK: "Operator",
            F.DELIVERY_STATUS: "State",
            F.PRICE: "Cost",
            F.CURRENCY: "Currency",
            F.SEGMENTS: "SmsCount",
        },
        {"queued": S, "sent": S, "delivered": D, "undelivered": U, "rejected": U},
    ),
}


@pytest.mark.parametrize("name", VENDORS)
def test_the_columns_are_guessed(name: str):
    (header,) = csv.reader([VENDORS[name].header])
    assert guess_columns(header) == VENDORS[name].columns


@pytest.mark.parametrize("name", VENDORS)
def test_the_words_are_known(name: str):
    assert {word: find_status(word) for word in VENDORS[name].words} == VENDORS[name].words
